//! Executes the stage of a job.

use super::registry::StageJob;
use super::stage::ArtifactFolders;
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

/// Runs a stage and reports its peak device memory.
///
/// # Errors
/// Returns the errors of the stage.
pub fn execute<B: Backend>(
    job: &StageJob,
    artifacts: &dyn ArtifactFolders,
    context: &mut StageContext<'_>,
) -> Result<(), StageError> {
    B::reset_memory();
    job.run::<B>(artifacts, context)?;
    if let Some(memory) = B::memory() {
        context.observer.cost("device_peak_bytes", memory.peak as f64);
    }
    Ok(())
}
