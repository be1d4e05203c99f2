//! Asynchronous successive halving in its stopping variant (Li et al., "A System for Massively Parallel Hyperparameter
//! Tuning", MLSys 2020, algorithm 2; stopping instead of pausing as in Ray Tune). The resource is the number of runs.

use super::course::TrialCourse;

/// At the last rung that the trial has reached, min_runs·η^k runs, it goes on while fewer than max(1, ⌊n/η⌋) of the n trials
/// that have the same runs are better; until η trials are there, only the best goes on, as in Optuna.
pub(super) fn reason(course: &TrialCourse, others: &[&TrialCourse], min_runs: usize, eta: usize) -> Option<String> {
    let done = course.done();
    let (rung, runs) = std::iter::successors(Some(min_runs.max(1)), |runs| runs.checked_mul(eta.max(2)))
        .take_while(|&runs| runs <= done.len() && runs < course.values.len())
        .enumerate()
        .last()?;
    let mean = course.mean_over(&done[..runs])?;
    let others: Vec<f64> = others.iter().filter_map(|other| other.mean_over(&done[..runs])).collect();
    let trials = others.len() + 1;
    let better = others.iter().filter(|&&other| other > mean).count();
    (better >= (trials / eta.max(2)).max(1)).then(|| {
        format!("rung {} of ASHA ({runs} runs): {mean:.3} is not among the best 1/{eta} of {trials} trials", rung + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::course::tests::course;
    use super::super::course::{Standing, prune};
    use super::*;
    use crate::config::{AshaSettings, Pruner};
    use crate::data::stream;
    use crate::search::random::unit;

    const ASHA: Pruner = Pruner::Asha(AshaSettings { min_runs: 1, eta: 3 });

    #[test]
    fn the_rung_s_best_third_goes_on() {
        let mut courses: Vec<TrialCourse> =
            (0..9).map(|i| course(&[0.90 + f64::from(i) / 100.0; 3], 27, Standing::Running)).collect();
        let stopped: Vec<bool> = prune(&ASHA, &courses).iter().map(Option::is_some).collect();
        assert_eq!(stopped, [true, true, true, true, true, true, false, false, false]);
        assert_eq!(
            prune(&ASHA, &courses)[2].as_deref(),
            Some("rung 2 of ASHA (3 runs): 0.920 is not among the best 1/3 of 9 trials")
        );
        // Others on other runs are not compared, and a finished trial has nothing left to stop.
        courses[0] = course(&[0.1; 27], 27, Standing::Finished);
        courses[8].values.rotate_right(1);
        let stopped = prune(&ASHA, &courses);
        assert_eq!((&stopped[0], &stopped[8]), (&None, &None));
    }

    /// Noisy arms in turns: the best one nearly always survives, at a fraction of the runs.
    #[test]
    fn the_best_of_bandits_is_kept_at_a_third_of_the_cost() {
        let (arms, runs, games) = (27, 27, 40);
        let (mut kept, mut spent) = (0, 0);
        for game in 0..games {
            let mut courses = vec![course(&[], runs, Standing::Running); arms];
            for run in 0..runs {
                for (arm, course) in courses.iter_mut().enumerate() {
                    if course.standing != Standing::Running {
                        continue;
                    }
                    let noise = unit(&mut stream(game, "bandit", arm as u64, run as u64)) - 0.5;
                    // 0.00, 0.05, … 1.30, and the best 1.50; the noise is ±0.2.
                    let worth = if arm == 13 { 1.5 } else { arm as f64 * 0.05 };
                    course.values[run] = Some(worth + 0.4 * noise);
                    spent += 1;
                }
                let reasons = prune(&ASHA, &courses);
                for (course, reason) in courses.iter_mut().zip(reasons) {
                    if reason.is_some() {
                        course.standing = Standing::Pruned;
                    }
                }
            }
            kept += usize::from(courses[13].standing == Standing::Running);
        }
        let share = spent as f64 / (arms * runs * games as usize) as f64;
        assert!(kept >= 38, "the best arm was kept in {kept} of {games} games");
        assert!(share < 1.0 / 3.0, "{share} of all runs were spent");
    }
}
