//! The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, § 3.3.2) over runs.

use super::course::{Standing, TrialCourse};

/// A trial is stopped if its mean lies below the median of the others' means over the same runs, once it has `min_runs` runs and
/// `startup_trials` trials are finished.
pub(super) fn reason(
    course: &TrialCourse,
    others: &[&TrialCourse],
    min_runs: usize,
    startup_trials: usize,
) -> Option<String> {
    let done = course.done();
    let finished = others.iter().filter(|other| other.standing == Standing::Finished).count();
    if done.len() < min_runs.max(1) || finished < startup_trials {
        return None;
    }
    let mean = course.mean_over(&done)?;
    let mut others: Vec<f64> = others.iter().filter_map(|other| other.mean_over(&done)).collect();
    others.sort_by(f64::total_cmp);
    let middle = others.len() / 2;
    let median = match others.len() % 2 {
        _ if others.is_empty() => return None,
        1 => others[middle],
        _ => (others[middle - 1] + others[middle]) / 2.0,
    };
    (mean < median).then(|| {
        format!("after {} runs {mean:.3} is below the median {median:.3} of {} other trials", done.len(), others.len())
    })
}

#[cfg(test)]
mod tests {
    use super::super::course::prune;
    use super::super::course::tests::course;
    use super::*;
    use crate::config::{MedianSettings, Pruner};
    use crate::data::stream;
    use crate::search::random::unit;

    #[test]
    fn below_the_median_of_the_same_runs_is_below() {
        let pruner = Pruner::Median(MedianSettings { min_runs: 2, startup_trials: 2 });
        let finished = |values: &[f64]| course(values, 3, Standing::Finished);
        let asked = |values: &[f64]| course(values, 3, Standing::Running);
        // The third run is easy: it must not count against a trial that has not had it.
        let mut courses = vec![finished(&[0.5, 0.5, 0.9]), finished(&[0.7, 0.7, 0.9]), asked(&[0.59, 0.6])];
        let reason = prune(&pruner, &courses)[2].clone();
        assert_eq!(reason.as_deref(), Some("after 2 runs 0.595 is below the median 0.600 of 2 other trials"));
        courses[2] = asked(&[0.6, 0.6]);
        assert_eq!(prune(&pruner, &courses)[2], None);
        courses[2] = asked(&[0.1]);
        assert_eq!(prune(&pruner, &courses)[2], None, "one run is not enough");
        courses[2] = asked(&[0.1, 0.1]);
        courses[1].standing = Standing::Running;
        assert_eq!(prune(&pruner, &courses)[2], None, "one finished trial is not enough");
    }

    /// Trials without noise, one after another: whatever is better than all before it is never stopped, and about half of the
    /// others' runs are saved.
    #[test]
    fn records_are_never_stopped() {
        let mut courses: Vec<TrialCourse> = Vec::new();
        let mut spent = 0;
        for trial in 0..60 {
            let worth = unit(&mut stream(3, "trial", trial, 0));
            let record = courses.iter().all(|known| known.value(0).is_none_or(|value| value < worth));
            courses.push(course(&[], 10, Standing::Running));
            for run in 0..10 {
                courses[trial as usize].values[run] = Some(worth);
                spent += 1;
                let last =
                    prune(&Pruner::Median(MedianSettings { min_runs: 2, startup_trials: 5 }), &courses).pop().flatten();
                if last.is_some() {
                    assert!(!record, "{last:?}");
                    courses[trial as usize].standing = Standing::Pruned;
                    break;
                }
            }
            if courses[trial as usize].standing == Standing::Running {
                courses[trial as usize].standing = Standing::Finished;
            }
        }
        assert!(spent < 60 * 10 * 3 / 4, "{spent} of 600 runs were spent");
    }
}
