//! Pruning by a paired test, run by run, as Optuna's `WilcoxonPruner` does over problem instances: categories are of very unequal
//! difficulty, and pairing takes that out.

use super::course::{Standing, TrialCourse};
use crate::statistics::{p_below, paired_differences};

/// A trial is stopped if, on at least `min_runs` common runs, it is worse than the best one on the average and the signed-rank
/// test says so at level `p`.
pub(super) fn reason(course: &TrialCourse, others: &[&TrialCourse], p: f64, min_runs: usize) -> Option<String> {
    let best = best(others, min_runs)?;
    let common: Vec<usize> = course.done().into_iter().filter(|&run| best.value(run).is_some()).collect();
    if common.len() < min_runs.max(1) {
        return None;
    }
    let (mean, best_mean) = (course.mean_over(&common)?, best.mean_over(&common)?);
    let pairs: Vec<(f64, f64)> =
        common.iter().filter_map(|&run| Some((course.value(run)?, best.value(run)?))).collect();
    let found = p_below(&paired_differences(&pairs));
    (mean < best_mean && found < p).then(|| {
        format!(
            "Wilcoxon's test over {} runs: {mean:.3} is below the best trial's {best_mean:.3} (p = {found:.3} < {p})",
            common.len()
        )
    })
}

/// The best of the trials that were not stopped: the one whose runs lie highest above the means of the same runs, so that
/// trials on easy runs have no advantage.
fn best<'c>(others: &[&'c TrialCourse], min_runs: usize) -> Option<&'c TrialCourse> {
    let run_mean = |run: usize| {
        let values: Vec<f64> = others.iter().filter_map(|other| other.value(run)).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    others
        .iter()
        .filter(|other| other.standing != Standing::Pruned)
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
    use super::super::course::prune;
    use super::super::course::tests::course;
    use super::*;
    use crate::config::{Pruner, WilcoxonSettings};
    use crate::data::stream;
    use crate::search::random::unit;

    const LEVEL: f64 = 0.1;
    const WILCOXON: Pruner = Pruner::Wilcoxon(WilcoxonSettings { p: LEVEL, min_runs: 4 });

    #[test]
    fn a_small_but_steady_loss_is_found_across_unequal_categories() {
        let best = [0.99, 0.60, 0.85, 0.70, 0.95];
        let worse: Vec<f64> = best.iter().enumerate().map(|(i, value)| value - 0.001 * (i + 1) as f64).collect();
        let courses = [course(&best, 9, Standing::Finished), course(&worse, 9, Standing::Running)];
        let expected = "Wilcoxon's test over 5 runs: 0.815 is below the best trial's 0.818 (p = 0.031 < 0.1)";
        assert_eq!(prune(&WILCOXON, &courses), [None, Some(expected.to_owned())]);
        let early = [courses[0].clone(), course(&worse[..3], 9, Standing::Running)];
        assert_eq!(prune(&WILCOXON, &early), [None, None]);
    }

    #[test]
    fn a_trial_that_differs_by_rounding_alone_is_not_worse() {
        let best: Vec<f64> = (0..8).map(|run| 0.1 * f64::from(run + 3)).collect();
        let equal: Vec<f64> = best.iter().map(|value| value - f64::EPSILON * value).collect();
        let courses = [course(&best, 9, Standing::Finished), course(&equal, 9, Standing::Running)];
        assert_eq!(prune(&WILCOXON, &courses), [None, None]);
    }

    /// A trial that is no worse is stopped as often as the level of the test says, looked at once.
    #[test]
    fn under_the_null_hypothesis_trials_are_stopped_as_often_as_p_says() {
        let games = 4000;
        let stopped = (0..games)
            .filter(|&game| {
                let values = |trial| -> Vec<f64> {
                    (0..12).map(|run| unit(&mut stream(game, "null", trial, run)) + run as f64).collect()
                };
                let courses = [course(&values(0), 20, Standing::Finished), course(&values(1), 20, Standing::Running)];
                prune(&WILCOXON, &courses)[1].is_some()
            })
            .count();
        let rate = stopped as f64 / games as f64;
        // The exact test's own level is at most p (here 0.088, with 2¹² signs); four standard errors are 0.019.
        assert!((LEVEL - 0.03..LEVEL + 0.02).contains(&rate), "{rate}");
    }
}
