//! How trials stand, and the one question that pruners answer.

use super::{asha, median, wilcoxon};
use crate::config::{AshaSettings, MedianSettings, Pruner, WilcoxonSettings};

/// Where a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has runs left.
    Running,
    /// All its runs are over.
    Finished,
    /// It was stopped.
    Pruned,
    /// The re-run baseline: it is no point of the search, so it is never stopped, and nothing is stopped for being worse.
    Baseline,
}

/// The objective of a trial's runs so far.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialCourse {
    /// One entry a run, in the order of the sweep (the same for every trial); none where a run has no value (yet).
    pub values: Vec<Option<f64>>,
    /// Where it is.
    pub standing: Standing,
}

impl TrialCourse {
    /// The runs that have a value, in their order.
    pub(super) fn done(&self) -> Vec<usize> {
        (0..self.values.len()).filter(|&run| self.value(run).is_some()).collect()
    }

    /// The value of a run.
    pub(super) fn value(&self, run: usize) -> Option<f64> {
        self.values.get(run).copied().flatten().filter(|value| !value.is_nan())
    }

    /// The mean over some runs; none unless all of them have a value.
    pub(super) fn mean_over(&self, runs: &[usize]) -> Option<f64> {
        let values: Option<Vec<f64>> = runs.iter().map(|&run| self.value(run)).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// For each trial why it should be stopped now, in words; none for one that should go on or has nothing to stop.
///
/// A pure function of the values: asked again, with the same values, it answers the same. Larger values are better.
pub fn prune(pruner: &Pruner, courses: &[TrialCourse]) -> Vec<Option<String>> {
    let searched: Vec<&TrialCourse> = courses.iter().filter(|course| course.standing != Standing::Baseline).collect();
    courses
        .iter()
        .map(|course| {
            if course.standing != Standing::Running {
                return None;
            }
            let others: Vec<&TrialCourse> =
                searched.iter().copied().filter(|other| !std::ptr::eq(*other, course)).collect();
            match *pruner {
                Pruner::Asha(AshaSettings { min_runs, eta }) => asha::reason(course, &others, min_runs, eta),
                Pruner::Median(MedianSettings { min_runs, startup_trials }) => {
                    median::reason(course, &others, min_runs, startup_trials)
                }
                Pruner::Wilcoxon(WilcoxonSettings { p, min_runs }) => wilcoxon::reason(course, &others, p, min_runs),
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn course(values: &[f64], runs: usize, standing: Standing) -> TrialCourse {
        let values = (0..runs).map(|run| values.get(run).copied()).collect();
        TrialCourse { values, standing }
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
            let stopped = |of: &[f64], with: &[f64], standing, other| {
                let courses = [course(of, 9, standing), course(with, 9, other), course(with, 9, Standing::Finished)];
                prune(&pruner, &courses)[0].is_some()
            };
            assert!(stopped(&bad, &good, Standing::Running, Standing::Finished), "{pruner:?}");
            assert!(!stopped(&bad, &good, Standing::Baseline, Standing::Finished), "{pruner:?}");
            let only_baseline = [course(&bad, 9, Standing::Running), course(&good, 9, Standing::Baseline)];
            assert_eq!(prune(&pruner, &only_baseline), [None, None], "{pruner:?}");
        }
    }
}
