//! What can go wrong while a sweep is planned.

use crate::config::MAX_RUNS;
use crate::data::DataError;
use crate::model::weights::WeightError;

/// Why a sweep cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The teacher.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// More than a plan has room for.
    #[error(
        "the sweep has {runs} runs ({trials} trials × {categories} category(ies) × {seeds} seed(s)), and at most {MAX_RUNS} can be \
         planned: name fewer categories, values or seeds, or give --max-trials"
    )]
    TooMany {
        /// Runs.
        runs: usize,
        /// Trials.
        trials: usize,
        /// Categories of the last of them.
        categories: usize,
        /// Seeds.
        seeds: usize,
    },
}
