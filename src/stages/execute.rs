//! From a job to the stage that does it.

use super::registry::StageJob;
use super::stage::ArtifactFolders;
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

/// Runs a stage and tells what it took of the device's memory.
///
/// # Errors
/// Those of the stage.
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
