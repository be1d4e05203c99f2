//! Ctrl-C, or a terminal that closes: once for an orderly end, twice for an end at once.

use crate::exit::Exit;
use crate::schedule::Stop;
#[cfg(unix)]
use crate::schedule::is_ignored;

/// The first signal asks for an orderly end, the second ends at once. Both lose nothing. Whoever watches `stop` tells the person.
pub(super) fn listen_for_signals(stop: Stop) {
    tokio::spawn(listen(stop));
}

/// Ctrl-C or, on Unix, SIGTERM and SIGHUP, which `nohup` has ignored.
async fn listen(stop: Stop) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let mut hangup = if is_ignored(libc::SIGHUP) { None } else { signal(SignalKind::hangup()).ok() };
        // All are opened once: one opened anew for each signal would miss those that come in between.
        if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    Some(()) = heard(&mut hangup) => {
                        // The kernel and the shell both send it: the second is no request for haste.
                        if stop.requested() {
                            continue;
                        }
                    }
                }
                ask(&stop);
            }
        }
    }
    while tokio::signal::ctrl_c().await.is_ok() {
        ask(&stop);
    }
}

/// The next signal of those that are listened to.
#[cfg(unix)]
async fn heard(signals: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signals.as_mut()?.recv().await
}

fn ask(stop: &Stop) {
    if stop.request() > 1 {
        Exit::Interrupted.at_once();
    }
}
