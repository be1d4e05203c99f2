//! Prunes by a paired test over runs, as Optuna's `WilcoxonPruner` does over problem instances. Categories differ greatly in
//! difficulty; pairing removes this difference.

use super::progress::{TrialProgress, TrialState};
use crate::statistics::{p_below, paired_differences};
use crate::text::counted;

/// Returns why to stop the trial: on at least `min_runs` common runs its mean is below that of the best trial, and the signed-rank
/// test is significant at level `p`.
pub(super) fn reason(trial: &TrialProgress, others: &[&TrialProgress], p: f64, min_runs: usize) -> Option<String> {
    let best = best(others, min_runs)?;
    let common: Vec<usize> = trial.done().into_iter().filter(|&run| best.value(run).is_some()).collect();
    if common.len() < min_runs.max(1) {
        return None;
    }
    let (mean, best_mean) = (trial.mean_over(&common)?, best.mean_over(&common)?);
    let pairs: Vec<(f64, f64)> = common.iter().filter_map(|&run| Some((trial.value(run)?, best.value(run)?))).collect();
    let found = p_below(&paired_differences(&pairs));
    (mean < best_mean && found < p).then(|| {
        format!(
            "Wilcoxon test over {}: the mean {mean:.3} is below the best trial's mean {best_mean:.3} (p = {found:.3} < {p})",
            counted(common.len(), "run")
        )
    })
}

/// Returns the best of the trials that were not stopped. Each value counts relative to the mean of the same run over all trials, so
/// that trials with easy runs have no advantage.
fn best<'c>(others: &[&'c TrialProgress], min_runs: usize) -> Option<&'c TrialProgress> {
    let run_mean = |run: usize| {
        let values: Vec<f64> = others.iter().filter_map(|other| other.value(run)).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    others
        .iter()
        .filter(|other| other.state != TrialState::Pruned)
        .filter_map(|other| {
            let done = other.done();
            let above: f64 = done.iter().filter_map(|&run| Some(other.value(run)? - run_mean(run))).sum();
            (done.len() >= min_runs.max(1)).then(|| (above / done.len() as f64, *other))
        })
        .reduce(|a, b| if b.0 > a.0 { b } else { a })
        .map(|(_, best)| best)
}

#[cfg(test)]
mod tests {
    use super::super::progress::prune;
    use super::super::progress::tests::progress;
    use super::*;
    use crate::config::{Pruner, WilcoxonSettings};
    use crate::data::stream;
    use crate::search::random::unit;

    const LEVEL: f64 = 0.1;
    const WILCOXON: Pruner = Pruner::Wilcoxon(WilcoxonSettings { p: LEVEL, min_runs: 4 });

    #[test]
    fn a_small_but_constant_difference_is_found_across_unequal_categories() {
        let best = [0.99, 0.60, 0.85, 0.70, 0.95];
        let worse: Vec<f64> = best.iter().enumerate().map(|(i, value)| value - 0.001 * (i + 1) as f64).collect();
        let trials = [progress(&best, 9, TrialState::Finished), progress(&worse, 9, TrialState::Running)];
        let expected =
            "Wilcoxon test over 5 runs: the mean 0.815 is below the best trial's mean 0.818 (p = 0.031 < 0.1)";
        assert_eq!(prune(&WILCOXON, &trials), [None, Some(expected.to_owned())]);
        let early = [trials[0].clone(), progress(&worse[..3], 9, TrialState::Running)];
        assert_eq!(prune(&WILCOXON, &early), [None, None]);
    }

    #[test]
    fn a_trial_that_differs_only_by_rounding_is_not_stopped() {
        let best: Vec<f64> = (0..8).map(|run| 0.1 * f64::from(run + 3)).collect();
        let equal: Vec<f64> = best.iter().map(|value| value - f64::EPSILON * value).collect();
        let trials = [progress(&best, 9, TrialState::Finished), progress(&equal, 9, TrialState::Running)];
        assert_eq!(prune(&WILCOXON, &trials), [None, None]);
    }

    /// A single test of an equally good trial stops it at the rate of the test's level.
    #[test]
    fn under_the_null_hypothesis_trials_are_stopped_at_the_rate_p() {
        let games = 4000;
        let stopped = (0..games)
            .filter(|&game| {
                let values = |trial| -> Vec<f64> {
                    (0..12).map(|run| unit(&mut stream(game, "null", trial, run)) + run as f64).collect()
                };
                let trials =
                    [progress(&values(0), 20, TrialState::Finished), progress(&values(1), 20, TrialState::Running)];
                prune(&WILCOXON, &trials)[1].is_some()
            })
            .count();
        let rate = stopped as f64 / games as f64;
        // The exact test's own level is at most p (here 0.088, with 2¹² signs); four standard errors are 0.019.
        assert!((LEVEL - 0.03..LEVEL + 0.02).contains(&rate), "{rate}");
    }
}
