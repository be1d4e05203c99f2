//! What a comparison shows of its first two trials, beyond their means.

use std::collections::HashMap;

use super::figures::{differences, scatter};
use super::images::{ComparedImage, images};
use crate::analysis::Side;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::Figure;
use crate::stages::Key;
use crate::store::{Artifacts, Compared, RunState, Store, StoreError};

/// Keys and jobs of the stages of runs: by side, category and seed.
#[derive(Debug, Clone, Default)]
pub struct JobsOfRuns {
    jobs: HashMap<(usize, String, i64), Vec<(Key, String)>>,
}

impl JobsOfRuns {
    /// Reads the stages of the finished runs of two trials with the first seed that both have.
    ///
    /// # Errors
    /// A query of the store fails.
    pub async fn read(store: &Store, compared: [&Compared; 2], sides: [&Side; 2]) -> Result<Self, StoreError> {
        let mut jobs = HashMap::new();
        let Some(seed) = first_seed(sides) else { return Ok(Self::default()) };
        for (side, compared) in compared.into_iter().enumerate() {
            let done = compared.runs.iter().filter(|run| run.state == RunState::Done && run.seed == seed);
            for run in done {
                jobs.insert((side, run.category.clone(), seed), store.jobs_of_run(&run.id).await?);
            }
        }
        Ok(Self { jobs })
    }

    /// Returns the stages of a run.
    pub(super) fn of(&self, side: usize, category: &str, seed: i64) -> &[(Key, String)] {
        self.jobs.get(&(side, category.to_owned(), seed)).map_or(&[], Vec::as_slice)
    }
}

/// Two trials, image by image: the reference and the trial that is compared with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedPair {
    pub(super) labels: [String; 2],
    /// The first seed that both have.
    pub(super) seed: i64,
    /// Paired differences by metric.
    pub(super) differences: Vec<Figure>,
    /// Image scores of one against the other, by category.
    pub(super) scatters: Vec<Figure>,
    /// The images on which they disagree most.
    pub(super) images: Vec<ComparedImage>,
    /// Number of test images that both scored.
    pub(super) all_images: usize,
    /// What cannot be shown, and why.
    pub(super) notes: Vec<String>,
}

impl ComparedPair {
    /// Draws what the page shows; `None` if no category and seed has both trials.
    ///
    /// # Errors
    /// A figure or picture cannot be drawn.
    pub fn of(
        sides: [&Side; 2],
        jobs: &JobsOfRuns,
        metrics: &[Metric],
        artifacts: &Artifacts,
    ) -> Result<Option<Self>, ReportError> {
        let Some(seed) = first_seed(sides) else { return Ok(None) };
        let found = images(sides, seed, jobs, artifacts)?;
        Ok(Some(Self {
            labels: sides.map(|side| side.label.clone()),
            seed,
            differences: metrics
                .iter()
                .filter_map(|metric| differences(sides, *metric).transpose())
                .collect::<Result<_, _>>()?,
            scatters: scatter(sides, seed, &found.scored)?,
            all_images: found.scored.len(),
            images: found.shown,
            notes: found.notes,
        }))
    }
}

/// Returns the first seed for which both have a run of one category.
fn first_seed([one, other]: [&Side; 2]) -> Option<i64> {
    one.runs.iter().filter(|run| other.run(&run.category, run.seed).is_some()).map(|run| run.seed).min()
}
