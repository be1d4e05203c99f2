//! Progress of trials, and the question that pruners answer.

use super::{asha, median, wilcoxon};
use crate::config::{AshaSettings, MedianSettings, Pruner, WilcoxonSettings};

/// State of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// It has open runs.
    Running,
    /// All its runs have ended.
    Finished,
    /// It was stopped.
    Pruned,
    /// It is the re-run baseline, not a point of the search. It is never stopped, and no trial is stopped because it is worse.
    Baseline,
}

/// Objective values of a trial's runs so far.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialProgress {
    /// One entry per run, in the sweep's order, which is equal for all trials; `None` if a run has no value.
    pub values: Vec<Option<f64>>,
    /// State of the trial.
    pub state: TrialState,
}

impl TrialProgress {
    /// Returns the runs that have a value, in their order.
    pub(super) fn done(&self) -> Vec<usize> {
        (0..self.values.len()).filter(|&run| self.value(run).is_some()).collect()
    }

    /// Returns the value of a run.
    pub(super) fn value(&self, run: usize) -> Option<f64> {
        self.values.get(run).copied().flatten().filter(|value| !value.is_nan())
    }

    /// Returns the mean over some runs; `None` unless all of them have a value.
    pub(super) fn mean_over(&self, runs: &[usize]) -> Option<f64> {
        let values: Option<Vec<f64>> = runs.iter().map(|&run| self.value(run)).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// Returns for each trial the reason to stop it now; `None` if it should continue or has no open runs.
///
/// This is a pure function of the values. Larger values are better.
pub fn prune(pruner: &Pruner, trials: &[TrialProgress]) -> Vec<Option<String>> {
    let searched: Vec<&TrialProgress> = trials.iter().filter(|trial| trial.state != TrialState::Baseline).collect();
    trials
        .iter()
        .map(|trial| {
            if trial.state != TrialState::Running {
                return None;
            }
            let others: Vec<&TrialProgress> =
                searched.iter().copied().filter(|other| !std::ptr::eq(*other, trial)).collect();
            match *pruner {
                Pruner::Asha(AshaSettings { min_runs, eta }) => asha::reason(trial, &others, min_runs, eta),
                Pruner::Median(MedianSettings { min_runs, startup_trials }) => {
                    median::reason(trial, &others, min_runs, startup_trials)
                }
                Pruner::Wilcoxon(WilcoxonSettings { p, min_runs }) => wilcoxon::reason(trial, &others, p, min_runs),
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn progress(values: &[f64], runs: usize, state: TrialState) -> TrialProgress {
        let values = (0..runs).map(|run| values.get(run).copied()).collect();
        TrialProgress { values, state }
    }

    #[test]
    fn the_baseline_is_neither_stopped_nor_a_reason_to_stop() {
        let good = vec![0.9; 6];
        let bad = vec![0.1; 6];
        for pruner in [
            Pruner::Asha(AshaSettings { min_runs: 1, eta: 2 }),
            Pruner::Median(MedianSettings { min_runs: 1, startup_trials: 1 }),
            Pruner::Wilcoxon(WilcoxonSettings { p: 0.1, min_runs: 4 }),
        ] {
            let stopped = |of: &[f64], with: &[f64], state, other| {
                let trials =
                    [progress(of, 9, state), progress(with, 9, other), progress(with, 9, TrialState::Finished)];
                prune(&pruner, &trials)[0].is_some()
            };
            assert!(stopped(&bad, &good, TrialState::Running, TrialState::Finished), "{pruner:?}");
            assert!(!stopped(&bad, &good, TrialState::Baseline, TrialState::Finished), "{pruner:?}");
            let only_baseline = [progress(&bad, 9, TrialState::Running), progress(&good, 9, TrialState::Baseline)];
            assert_eq!(prune(&pruner, &only_baseline), [None, None], "{pruner:?}");
        }
    }
}
