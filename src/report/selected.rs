//! Where the artifacts of a run's selected epoch lie.

use std::path::PathBuf;

use crate::plan::{StageKind, selected_stage};
use crate::store::Artifacts;

/// The folder of the stage of this kind that speaks of the selected epoch; `stages`: keys and jobs of a run's stages.
pub(super) fn folder<'s>(
    artifacts: &Artifacts,
    kind: StageKind,
    stages: impl Iterator<Item = (&'s str, &'s str)>,
) -> Option<PathBuf> {
    selected_stage(kind, stages).map(|(key, _)| artifacts.path(kind, &key))
}
