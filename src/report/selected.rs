//! Where the artifacts of a run's selected epoch lie.

use std::path::PathBuf;

use crate::evaluate::Checkpoint;
use crate::plan::{Key, StageJob, StageKind};
use crate::store::Artifacts;

/// The folder of the stage of this kind that speaks of the selected epoch; `stages`: keys and jobs of a run's stages.
pub(super) fn folder<'s>(
    artifacts: &Artifacts,
    kind: StageKind,
    mut stages: impl Iterator<Item = (&'s str, &'s str)>,
) -> Option<PathBuf> {
    let is_selected = |job: &str| match serde_json::from_str(job) {
        Ok(StageJob::Score(job)) => kind == StageKind::Score && job.checkpoint == Checkpoint::Selected,
        Ok(StageJob::Evaluate(job)) => kind == StageKind::Evaluate && job.checkpoint == Checkpoint::Selected,
        _ => false,
    };
    let (key, _) = stages.find(|(_, job)| is_selected(job))?;
    Some(artifacts.path(kind, &Key::from_hex(key.to_owned())))
}
