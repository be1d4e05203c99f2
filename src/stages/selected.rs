//! The stages of a run that speak of its selected epoch.

use super::key::Key;
use super::registry::{StageJob, StageKind};
use crate::evaluate::Selection;

/// Key and job of the stage of this kind that speaks of the selected epoch; `stages`: keys and jobs of a run's stages, as the store has
/// them.
pub fn selected_stage<'s>(
    kind: StageKind,
    mut stages: impl Iterator<Item = (&'s str, &'s str)>,
) -> Option<(Key, StageJob)> {
    stages.find_map(|(key, job)| {
        let job: StageJob = serde_json::from_str(job).ok()?;
        let found = job.kind() == kind && job.selection() == Some(Selection::Selected);
        found.then(|| (Key::from_hex(key.to_owned()), job))
    })
}
