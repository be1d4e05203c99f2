//! The stages of a run that speak of its selected epoch.

use super::job::{StageJob, StageKind};
use super::key::Key;
use crate::evaluate::Selection;

/// Key and job of the stage of this kind, [`StageKind::Score`] or [`StageKind::Evaluate`], that speaks of the selected epoch; `stages`:
/// keys and jobs of a run's stages, as the store has them. Painted defects are not what a run is evaluated on.
pub fn selected_stage<'s>(
    kind: StageKind,
    mut stages: impl Iterator<Item = (&'s str, &'s str)>,
) -> Option<(Key, StageJob)> {
    stages.find_map(|(key, job)| {
        let job: StageJob = serde_json::from_str(job).ok()?;
        let selection = match &job {
            StageJob::Score(job) => job.selection,
            StageJob::Evaluate(job) => job.selection,
            _ => return None,
        };
        let found = job.kind() == kind && selection == Selection::Selected;
        found.then(|| (Key::from_hex(key.to_owned()), job))
    })
}
