//! Errors of planning a sweep.

use crate::config::MAX_RUNS;
use crate::data::DataError;
use crate::model::weights::WeightError;
use crate::text::counted;

/// Reason why a sweep cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The data set is not usable.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The teacher's weights are not usable.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The sweep has more runs than a plan may have.
    #[error(
        "the sweep has {runs} runs ({} × {} × {}), but at most {MAX_RUNS} can be planned: use fewer categories, values or seeds, or pass \
         --max-trials",
        counted(trials, "trial"),
        counted(categories, "category"),
        counted(seeds, "seed")
    )]
    TooMany {
        /// Number of runs.
        runs: usize,
        /// Number of trials.
        trials: usize,
        /// Number of categories of the last trial.
        categories: usize,
        /// Number of seeds.
        seeds: usize,
    },
}
