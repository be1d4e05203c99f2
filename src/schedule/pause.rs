//! Ctrl-Z: the workers stop and go on together with the process that started them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::process::{Child, Command};

/// The worker processes that run now.
#[derive(Debug, Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Vec<u32>>>);

impl Workers {
    fn pids(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Child> {
        // Held meanwhile: a worker that starts while all are being stopped must not be missed.
        let mut pids = self.pids();
        let child = command.spawn()?;
        pids.extend(child.id());
        Ok(child)
    }

    /// One has ended.
    pub(super) fn ended(&self, pid: u32) {
        self.pids().retain(|known| *known != pid);
    }

    #[cfg(unix)]
    fn send(&self, signal: i32) {
        for &pid in self.pids().iter() {
            send(pid, signal);
        }
    }

    /// Listens from now on to the process's end; `fg`, `bg` and `kill -CONT` are all SIGCONT.
    ///
    /// SIGSTOP cannot be heard: workers of a process that was stopped by it go on, and say nothing until it does ([`super::Message`]).
    #[cfg(unix)]
    pub(super) fn follow(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let workers = self.clone();
        let listen = |number| signal(SignalKind::from_raw(number)).ok();
        // A process that was told to ignore Ctrl-Z goes on ignoring it.
        let stop = if is_ignored(libc::SIGTSTP) { None } else { listen(libc::SIGTSTP) };
        let Some(mut go_on) = listen(libc::SIGCONT) else { return };
        tokio::spawn(async move {
            let Some(mut stop) = stop else {
                while go_on.recv().await.is_some() {
                    workers.send(libc::SIGCONT);
                }
                return;
            };
            loop {
                tokio::select! {
                    _ = stop.recv() => {
                        workers.send(libc::SIGSTOP);
                        // As the kernel would have done it. This returns when the process goes on.
                        send(std::process::id(), libc::SIGSTOP);
                    }
                    _ = go_on.recv() => workers.send(libc::SIGCONT),
                }
            }
        });
    }

    /// There are no such signals.
    #[cfg(not(unix))]
    pub(super) fn follow(&self) {}
}

#[cfg(unix)]
fn send(pid: u32, signal: i32) {
    // SAFETY: a plain system call; the process is this one or a child that nobody has waited for yet.
    unsafe { libc::kill(pid as i32, signal) };
}

/// A worker that was started by a sweep: it wakes when that ends while both are stopped, for it has to leave, and writes to a terminal
/// whose foreground its group never is.
#[cfg(unix)]
pub fn attach() {
    // SAFETY: plain system calls that change how this process takes two signals.
    unsafe {
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGCONT);
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
    }
}

/// Whether whoever started this process wants it to ignore a signal.
#[cfg(unix)]
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: all-zero bytes are a valid `sigaction`, and the call only writes to it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}
