//! Median stopping rule (Golovin et al., "Google Vizier", KDD 2017, § 3.3.2) over runs.

use super::progress::{TrialProgress, TrialState};
use crate::text::counted;

/// Returns why to stop the trial: its mean is below the median of the other trials' means over the same runs. Requires `min_runs`
/// runs of the trial and `startup_trials` finished trials.
pub(super) fn reason(
    trial: &TrialProgress,
    others: &[&TrialProgress],
    min_runs: usize,
    startup_trials: usize,
) -> Option<String> {
    let done = trial.done();
    let finished = others.iter().filter(|other| other.state == TrialState::Finished).count();
    if done.len() < min_runs.max(1) || finished < startup_trials {
        return None;
    }
    let mean = trial.mean_over(&done)?;
    let mut others: Vec<f64> = others.iter().filter_map(|other| other.mean_over(&done)).collect();
    others.sort_by(f64::total_cmp);
    let middle = others.len() / 2;
    let median = match others.len() % 2 {
        _ if others.is_empty() => return None,
        1 => others[middle],
        _ => (others[middle - 1] + others[middle]) / 2.0,
    };
    (mean < median).then(|| {
        format!(
            "after {}, the mean {mean:.3} is below the median {median:.3} of {} other trials",
            counted(done.len(), "run"),
            others.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::progress::prune;
    use super::super::progress::tests::progress;
    use super::*;
    use crate::config::{MedianSettings, Pruner};
    use crate::data::stream;
    use crate::search::random::unit;

    #[test]
    fn a_trial_below_the_median_of_the_same_runs_is_stopped() {
        let pruner = Pruner::Median(MedianSettings { min_runs: 2, startup_trials: 2 });
        let finished = |values: &[f64]| progress(values, 3, TrialState::Finished);
        let asked = |values: &[f64]| progress(values, 3, TrialState::Running);
        // The third run is easy. It must not count against a trial that has not done it.
        let mut trials = vec![finished(&[0.5, 0.5, 0.9]), finished(&[0.7, 0.7, 0.9]), asked(&[0.59, 0.6])];
        let reason = prune(&pruner, &trials)[2].clone();
        assert_eq!(reason.as_deref(), Some("after 2 runs, the mean 0.595 is below the median 0.600 of 2 other trials"));
        trials[2] = asked(&[0.6, 0.6]);
        assert_eq!(prune(&pruner, &trials)[2], None);
        trials[2] = asked(&[0.1]);
        assert_eq!(prune(&pruner, &trials)[2], None, "one run is not enough");
        trials[2] = asked(&[0.1, 0.1]);
        trials[1].state = TrialState::Running;
        assert_eq!(prune(&pruner, &trials)[2], None, "one finished trial is not enough");
    }

    /// Trials without noise, one after another. A trial better than all before it is never stopped, and a quarter of the runs or more
    /// is saved.
    #[test]
    fn the_best_trial_so_far_is_never_stopped() {
        let mut trials: Vec<TrialProgress> = Vec::new();
        let mut spent = 0;
        for index in 0..60 {
            let quality = unit(&mut stream(3, "trial", index, 0));
            let record = trials.iter().all(|known| known.value(0).is_none_or(|value| value < quality));
            trials.push(progress(&[], 10, TrialState::Running));
            for run in 0..10 {
                trials[index as usize].values[run] = Some(quality);
                spent += 1;
                let last =
                    prune(&Pruner::Median(MedianSettings { min_runs: 2, startup_trials: 5 }), &trials).pop().flatten();
                if last.is_some() {
                    assert!(!record, "{last:?}");
                    trials[index as usize].state = TrialState::Pruned;
                    break;
                }
            }
            if trials[index as usize].state == TrialState::Running {
                trials[index as usize].state = TrialState::Finished;
            }
        }
        assert!(spent < 60 * 10 * 3 / 4, "{spent} of 600 runs were spent");
    }
}
