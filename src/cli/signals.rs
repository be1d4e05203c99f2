//! Handles Ctrl-C, a closed terminal and the signals of Slurm. The first signal ends the command in order.

use crate::exit::Exit;
use crate::schedule::Stop;
#[cfg(unix)]
use crate::schedule::{is_ignored, slurm};

/// What a signal means after a stop was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Somebody insists: the process ends at once.
    AtOnce,
    /// Nothing: programs send this signal several times.
    Nothing,
}

/// Requests a stop at the first signal. Ctrl-C and `kill` end the process at once if they come again. Neither loses results. The code that
/// watches `stop` informs the user.
#[cfg(unix)]
pub(super) fn listen_for_signals(stop: &Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    // Slurm repeats SIGTERM before SIGKILL, and a checkpoint may just be written.
    let terminated_again = if slurm::in_job() { Again::Nothing } else { Again::AtOnce };
    let kinds = [
        (SignalKind::interrupt(), Again::AtOnce),
        (SignalKind::terminate(), terminated_again),
        // The kernel and the shell both send SIGHUP. Schedulers send the others some time before they send SIGTERM.
        (SignalKind::hangup(), Again::Nothing),
        (SignalKind::user_defined1(), Again::Nothing),
        (SignalKind::user_defined2(), Again::Nothing),
    ];
    for (kind, again) in kinds {
        // `nohup` has set SIGHUP to be ignored.
        if kind == SignalKind::hangup() && is_ignored(libc::SIGHUP) {
            continue;
        }
        let Ok(mut signals) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                handle(&stop, again);
            }
        });
    }
}

/// Requests a stop at Ctrl-C, and ends the process if it comes again.
#[cfg(not(unix))]
pub(super) fn listen_for_signals(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            handle(&stop, Again::AtOnce);
        }
    });
}

fn handle(stop: &Stop, again: Again) {
    match (stop.requested(), again) {
        (false, _) => stop.request(),
        (true, Again::AtOnce) => Exit::Interrupted.at_once(),
        (true, Again::Nothing) => {}
    }
}
