//! Ctrl-C: once for an orderly end, twice for an end at once.

use super::exit::Exit;
use crate::schedule::Stop;

/// The first signal asks for an orderly end, the second ends at once. Both lose nothing. Whoever watches `stop` tells the person.
pub(super) fn listen_for_signals(stop: Stop) {
    tokio::spawn(async move {
        loop {
            wait_for_signal().await;
            if stop.request() > 1 {
                std::process::exit(Exit::Interrupted as i32);
            }
        }
    });
}

/// Ctrl-C or, on Unix, SIGTERM.
async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
