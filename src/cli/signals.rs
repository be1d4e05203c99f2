//! Ctrl-C: once for an orderly end, twice for an end at once.

use super::exit::Exit;
use crate::schedule::Stop;

/// The first signal asks for an orderly end, the second ends at once. Both lose nothing. Whoever watches `stop` tells the person.
pub(super) fn listen_for_signals(stop: Stop) {
    tokio::spawn(listen(stop));
}

/// Ctrl-C or, on Unix, SIGTERM.
async fn listen(stop: Stop) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        // Both are opened once: one opened anew for each signal would miss those that come in between.
        if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                ask(&stop);
            }
        }
    }
    while tokio::signal::ctrl_c().await.is_ok() {
        ask(&stop);
    }
}

fn ask(stop: &Stop) {
    if stop.request() > 1 {
        std::process::exit(Exit::Interrupted as i32);
    }
}
