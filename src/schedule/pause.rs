//! Ctrl-Z: stops and resumes the workers together with their parent process.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::process::{Child, Command};

/// Process ids of the running workers.
#[derive(Debug, Clone, Default)]
pub(super) struct WorkerProcesses(Arc<Mutex<Vec<u32>>>);

impl WorkerProcesses {
    fn pids(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Child> {
        // Hold the lock during the start: a stop signal must also reach a worker that is just starting.
        let mut pids = self.pids();
        let child = command.spawn()?;
        pids.extend(child.id());
        Ok(child)
    }

    /// Removes a worker that has ended.
    pub(super) fn remove(&self, pid: u32) {
        self.pids().retain(|known| *known != pid);
    }

    #[cfg(unix)]
    fn send(&self, signal: i32) {
        for &pid in self.pids().iter() {
            send(pid, signal);
        }
    }

    /// Forwards stop and resume signals to the workers until this process ends. `fg`, `bg` and `kill -CONT` all send SIGCONT.
    ///
    /// No process can catch SIGSTOP: workers of a parent that it stopped continue, and their messages wait ([`super::Message`]).
    #[cfg(unix)]
    pub(super) fn forward_signals(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let workers = self.clone();
        let listen = |number| signal(SignalKind::from_raw(number)).ok();
        // A process that was started with Ctrl-Z ignored keeps ignoring it.
        let stop = if is_ignored(libc::SIGTSTP) { None } else { listen(libc::SIGTSTP) };
        let Some(mut resume) = listen(libc::SIGCONT) else { return };
        tokio::spawn(async move {
            let Some(mut stop) = stop else {
                while resume.recv().await.is_some() {
                    workers.send(libc::SIGCONT);
                }
                return;
            };
            loop {
                tokio::select! {
                    _ = stop.recv() => {
                        workers.send(libc::SIGSTOP);
                        // Stop this process as the kernel would have done. The call returns when the process resumes.
                        send(std::process::id(), libc::SIGSTOP);
                    }
                    _ = resume.recv() => workers.send(libc::SIGCONT),
                }
            }
        });
    }

    /// Does nothing: these signals do not exist here.
    #[cfg(not(unix))]
    pub(super) fn forward_signals(&self) {}
}

#[cfg(unix)]
fn send(pid: u32, signal: i32) {
    // SAFETY: a plain system call; the process is this one or a child that has not been waited for.
    unsafe { libc::kill(pid as i32, signal) };
}

/// Prepares a worker that a sweep has started. The kernel resumes it when the sweep ends while both are stopped, so that it can exit.
/// It may write to the terminal although its process group is never in the foreground.
#[cfg(unix)]
pub fn attach() {
    // SAFETY: plain system calls that change how this process takes two signals.
    unsafe {
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGCONT);
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
    }
}

/// Returns whether this process was started with a signal ignored.
#[cfg(unix)]
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: all-zero bytes are a valid `sigaction`, and the call only writes to it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}
