//! How long processes retry while the store cannot be used: a person may restart a server, or free disk space.

use std::time::{Duration, Instant};

use crate::store::StoreError;

/// How long a server may be away.
const SERVER: Duration = Duration::from_secs(600);
/// How long the writes of a worker may fail otherwise.
const WRITES: Duration = Duration::from_secs(6);
/// How long a sweep's readings of the store may fail otherwise.
const READINGS: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Returns how long a sweep retries to read the store after an error.
pub(super) fn of_readings(error: &StoreError) -> Duration {
    match error {
        StoreError::Replaced { .. } => Duration::ZERO,
        _ if error.is_unreachable() => SERVER,
        _ => READINGS,
    }
}

/// Repeats an operation of a worker while its store cannot be used, so that a temporary fault costs nothing that was computed.
pub(super) async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    mut operation: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match operation().await {
            Err(error) if started.elapsed() < of_writes(&error) => {
                tracing::warn!(%error, "cannot use the store; retrying");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

fn of_writes(error: &StoreError) -> Duration {
    match error {
        _ if error.is_unreachable() => SERVER,
        StoreError::Sql(_) | StoreError::Artifact { .. } => WRITES,
        _ => Duration::ZERO,
    }
}
