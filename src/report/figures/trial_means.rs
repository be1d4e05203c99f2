//! The mean result of each trial.

use std::collections::BTreeMap;

use crate::statistics::summary;
use crate::store::RunRow;

/// A trial with the mean of its runs.
#[derive(Clone, Copy)]
pub(super) struct TrialMean<'r> {
    /// One of its runs.
    pub run: &'r RunRow,
    pub mean: f64,
    /// Number of runs behind the mean.
    pub runs: usize,
}

/// Returns the mean of each trial's runs.
pub(super) fn trial_means<'r>(measured: &[(&'r RunRow, f64)]) -> Vec<TrialMean<'r>> {
    let mut of_trial: BTreeMap<&str, (&RunRow, Vec<f64>)> = BTreeMap::new();
    for (run, value) in measured {
        of_trial.entry(&run.trial_id).or_insert_with(|| (run, Vec::new())).1.push(*value);
    }
    let mean = |(run, values): (&'r RunRow, Vec<f64>)| {
        Some(TrialMean { run, mean: summary(&values)?.mean, runs: values.len() })
    };
    of_trial.into_values().filter_map(mean).collect()
}
