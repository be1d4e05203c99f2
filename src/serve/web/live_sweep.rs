//! What the page of a sweep shows: its progress, and the curves of the stages that train now.

use serde::Serialize;

use super::curve::CurveLines;
use crate::serve::{Progress, progress};
use crate::store::{Artifacts, Store, StoreError};

/// A sweep at one moment.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct LiveSweep {
    #[serde(flatten)]
    pub progress: Progress,
    /// What trains now: the title of a run, and the curves of its stage.
    pub training: Vec<(String, CurveLines)>,
}

impl LiveSweep {
    /// Reads a sweep.
    ///
    /// # Errors
    /// There is no such sweep, or a query of the store fails.
    pub(super) async fn read(store: &Store, sweep: &str, artifacts: &Artifacts) -> Result<Self, StoreError> {
        let progress = progress(store, Some(sweep), artifacts.place()).await?;
        let stages =
            || progress.workers.iter().filter_map(|of| Some((of.worker.stage.clone()?, of.worker.title.clone()?)));
        let points = store.curves_of_stages(&stages().map(|(stage, _)| stage).collect::<Vec<_>>()).await?;
        let training = stages().filter_map(|(stage, title)| Some((title, CurveLines::of(&points, &stage)?))).collect();
        Ok(Self { training, progress })
    }

    /// Returns a text that changes whenever a report of the sweep would.
    pub(super) fn version(&self) -> String {
        let runs = self.progress.runs;
        format!("{}/{}/{}/{}", runs.total, runs.done, runs.failed, runs.pruned + runs.cancelled)
    }
}
