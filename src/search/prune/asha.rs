//! Asynchronous successive halving: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2.
//! This variant stops trials instead of pausing them, as Ray Tune does. The resource is the number of runs.

use super::progress::TrialProgress;
use crate::text::counted;

/// Returns why to stop the trial. Rung k, from 0, has min_runs·η^k runs. At the last rung that it has reached, a trial continues
/// while fewer than max(1, ⌊n/η⌋) of the n trials with the same runs are better. With fewer than η trials, only the best continues,
/// as in Optuna.
pub(super) fn reason(trial: &TrialProgress, others: &[&TrialProgress], min_runs: usize, eta: usize) -> Option<String> {
    let done = trial.done();
    let (rung, runs) = std::iter::successors(Some(min_runs.max(1)), |runs| runs.checked_mul(eta.max(2)))
        .take_while(|&runs| runs <= done.len() && runs < trial.values.len())
        .enumerate()
        .last()?;
    let mean = trial.mean_over(&done[..runs])?;
    let others: Vec<f64> = others.iter().filter_map(|other| other.mean_over(&done[..runs])).collect();
    let count = others.len() + 1;
    let better = others.iter().filter(|&&other| other > mean).count();
    (better >= (count / eta.max(2)).max(1)).then(|| {
        format!(
            "rung {} of ASHA ({}): the mean {mean:.3} is not among the best 1/{eta} of {count} trials",
            rung + 1,
            counted(runs, "run")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::progress::tests::progress;
    use super::super::progress::{TrialState, prune};
    use super::*;
    use crate::config::{AshaSettings, Pruner};
    use crate::data::stream;
    use crate::search::random::unit;

    const ASHA: Pruner = Pruner::Asha(AshaSettings { min_runs: 1, eta: 3 });

    #[test]
    fn the_best_third_of_a_rung_continues() {
        let mut trials: Vec<TrialProgress> =
            (0..9).map(|i| progress(&[0.90 + f64::from(i) / 100.0; 3], 27, TrialState::Running)).collect();
        let stopped: Vec<bool> = prune(&ASHA, &trials).iter().map(Option::is_some).collect();
        assert_eq!(stopped, [true, true, true, true, true, true, false, false, false]);
        assert_eq!(
            prune(&ASHA, &trials)[2].as_deref(),
            Some("rung 2 of ASHA (3 runs): the mean 0.920 is not among the best 1/3 of 9 trials")
        );
        // Trials on other runs are not compared, and a finished trial is not stopped.
        trials[0] = progress(&[0.1; 27], 27, TrialState::Finished);
        trials[8].values.rotate_right(1);
        let stopped = prune(&ASHA, &trials);
        assert_eq!((&stopped[0], &stopped[8]), (&None, &None));
    }

    /// Simulates noisy bandits: the best arm nearly always survives, at a third of the cost.
    #[test]
    fn the_best_bandit_survives_at_a_third_of_the_cost() {
        let (arms, runs, games) = (27, 27, 40);
        let (mut kept, mut spent) = (0, 0);
        for game in 0..games {
            let mut trials = vec![progress(&[], runs, TrialState::Running); arms];
            for run in 0..runs {
                for (arm, trial) in trials.iter_mut().enumerate() {
                    if trial.state != TrialState::Running {
                        continue;
                    }
                    let noise = unit(&mut stream(game, "bandit", arm as u64, run as u64)) - 0.5;
                    // 0.00, 0.05, … 1.30, and the best 1.50; the noise is ±0.2.
                    let quality = if arm == 13 { 1.5 } else { arm as f64 * 0.05 };
                    trial.values[run] = Some(quality + 0.4 * noise);
                    spent += 1;
                }
                let reasons = prune(&ASHA, &trials);
                for (trial, reason) in trials.iter_mut().zip(reasons) {
                    if reason.is_some() {
                        trial.state = TrialState::Pruned;
                    }
                }
            }
            kept += usize::from(trials[13].state == TrialState::Running);
        }
        let share = spent as f64 / (arms * runs * games as usize) as f64;
        assert!(kept >= 38, "the best arm was kept in {kept} of {games} games");
        assert!(share < 1.0 / 3.0, "{share} of all runs were spent");
    }
}
