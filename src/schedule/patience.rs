//! How long processes retry while the store cannot be used: a person may restart a server, or free disk space.

use std::time::{Duration, Instant};

use super::Stop;
use crate::store::{Access, Artifacts, Store, StoreError};

/// How long a server may be away.
const SERVER: Duration = Duration::from_secs(600);
/// How long the artifacts folder may be read-only, or the object store away.
const FOLDER: Duration = Duration::from_secs(600);
/// How long a worker retries to write a result otherwise.
pub(super) const RESULT: Duration = Duration::from_secs(6);
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

/// Opens the store of a worker. Waits for a server, because whoever started the worker would only start it again.
///
/// # Errors
/// The store cannot be opened, or its server did not answer for ten minutes.
pub async fn open_patiently(url: &str) -> Result<Store, StoreError> {
    patiently(Duration::ZERO, || Store::open(url, Access::Serve)).await
}

/// Waits while artifacts cannot be written, at most ten minutes or until a stop is requested. Returns whether it waited.
pub(super) async fn wait_for_folder(artifacts: &Artifacts, stop: &Stop) -> bool {
    let started = Instant::now();
    let mut waited = false;
    while !stop.requested() && started.elapsed() < FOLDER && !can_be_written(artifacts).await {
        if !waited {
            tracing::warn!("{} cannot be written; waiting until it can be written", artifacts.place().display());
        }
        waited = true;
        tokio::time::sleep(LONGEST_PAUSE).await;
    }
    waited
}

async fn can_be_written(artifacts: &Artifacts) -> bool {
    let artifacts = artifacts.clone();
    tokio::task::spawn_blocking(move || artifacts.can_be_written()).await.unwrap_or(false)
}

/// Repeats an operation of a worker while the server does not answer, and for `otherwise` if the store fails for another reason. A temporary
/// fault then costs nothing that was computed.
pub(super) async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    otherwise: Duration,
    mut operation: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match operation().await {
            Err(error) => error,
            done => return done,
        };
        let patience = match error {
            _ if error.is_unreachable() => SERVER,
            StoreError::Sql(_) | StoreError::Artifact { .. } => otherwise,
            _ => Duration::ZERO,
        };
        if started.elapsed() >= patience {
            return Err(error);
        }
        tracing::warn!(%error, "cannot use the store; retrying");
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}
