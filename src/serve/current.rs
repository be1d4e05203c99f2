//! The status of a sweep, corrected by what this machine knows about its processes.

use crate::schedule::LocalProcesses;
use crate::store::{Store, StoreError, SweepStatus};

/// Returns the status of a sweep. Stages and runs of processes of this machine that have ended are shown as pending.
///
/// # Errors
/// A query of the store fails.
pub async fn current_status(
    store: &Store,
    sweep: &str,
    name: &str,
    known: &LocalProcesses,
) -> Result<SweepStatus, StoreError> {
    let mut status = store.status(sweep, name).await?;
    let held = store.held_stages(sweep).await?;
    status.show_ended_as_pending(&held, |host, pid, started| known.has_ended(host, pid, started));
    Ok(status)
}
