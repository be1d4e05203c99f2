//! Finds the stages of a run that belong to its selected epoch.

use super::key::Key;
use super::registry::{StageJob, StageKind};
use crate::evaluate::Selection;

/// Returns the key and job of the stage of this kind that belongs to the selected epoch. `stages` are the keys and jobs (JSON) of a
/// run's stages, as stored.
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
