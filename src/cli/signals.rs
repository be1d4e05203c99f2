//! Handles Ctrl-C and a closed terminal. The first signal ends the command in order, the second ends it at once.

use crate::exit::Exit;
use crate::schedule::Stop;
#[cfg(unix)]
use crate::schedule::is_ignored;

/// Requests a stop at the first signal and ends the process at the second. Neither loses results. The code that watches `stop` informs
/// the user.
pub(super) fn listen_for_signals(stop: Stop) {
    tokio::spawn(listen(stop));
}

/// Waits for Ctrl-C and, on Unix, for SIGTERM and SIGHUP. Skips SIGHUP if `nohup` has set it to be ignored.
async fn listen(stop: Stop) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let mut hangup = if is_ignored(libc::SIGHUP) { None } else { signal(SignalKind::hangup()).ok() };
        // Open each stream once: opening it again after each signal would miss signals in between.
        if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    Some(()) = next_signal(&mut hangup) => {
                        // The kernel and the shell both send SIGHUP, so a second one does not mean "at once".
                        if stop.requested() {
                            continue;
                        }
                    }
                }
                request_stop(&stop);
            }
        }
    }
    while tokio::signal::ctrl_c().await.is_ok() {
        request_stop(&stop);
    }
}

/// Waits for the next signal; returns `None` at once if the signal is not handled.
#[cfg(unix)]
async fn next_signal(signals: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signals.as_mut()?.recv().await
}

/// Requests a stop; at the second request, ends the process.
fn request_stop(stop: &Stop) {
    if stop.request() > 1 {
        Exit::Interrupted.at_once();
    }
}
