//! Splits observations into good and bad ones for the two estimators.

use crate::config::Point;
use crate::search::observation::{Observation, PointOutcome};

/// Points with an outcome or pending, split by their values; each part is in the order of the trials.
pub(super) struct Split<'a> {
    pub good: Vec<&'a Point>,
    pub bad: Vec<&'a Point>,
}

/// Splits the observations: the best min(⌈n/10⌉, 25) of n ended points are good, if they have a value. A failed point counts as the
/// worst, so that the search avoids regions where training diverges. So does a pending point ("constant liar", Ginsbourger et al.
/// 2010), so that concurrent trials differ. Ignored points are left out.
pub(super) fn split<'a>(observations: impl Iterator<Item = &'a Observation> + Clone) -> Split<'a> {
    let has_ended =
        |observation: &&Observation| matches!(observation.outcome, PointOutcome::Value(_) | PointOutcome::Failed);
    let ended = observations.clone().filter(has_ended).count();
    let points: Vec<(&Point, Option<f64>)> = observations
        .filter_map(|observation| match observation.outcome {
            PointOutcome::Value(value) if !value.is_nan() => Some((&observation.point, Some(value))),
            PointOutcome::Value(_) | PointOutcome::Failed | PointOutcome::Pending => Some((&observation.point, None)),
            PointOutcome::Ignored => None,
        })
        .collect();
    let mut ranked: Vec<(usize, f64)> =
        points.iter().enumerate().filter_map(|(index, (_, value))| Some((index, (*value)?))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(ended.div_ceil(10).min(25));
    let is_good = |index: usize| ranked.iter().any(|&(good, _)| good == index);
    let part = |good: bool| {
        points.iter().enumerate().filter(|(index, _)| is_good(*index) == good).map(|(_, (point, _))| *point).collect()
    };
    Split { good: part(true), bad: part(false) }
}

/// Returns the weights of observations from the oldest on. The last 25 have weight 1; older ones have less, down to 1/n (Bergstra
/// et al.; `linear_forgetting_weights` in Hyperopt).
pub(super) fn weights(count: usize) -> Vec<f64> {
    let old = count.saturating_sub(25);
    let first = 1.0 / count.max(1) as f64;
    (0..count)
        .map(|index| match index < old {
            // As in NumPy's linspace: a single old observation has the first weight.
            true => first + (1.0 - first) * index as f64 / (old.max(2) - 1) as f64,
            false => 1.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Coordinate;

    fn observation(index: usize, outcome: PointOutcome) -> Observation {
        Observation { point: vec![Some(Coordinate::Choice(index))], outcome }
    }

    #[test]
    fn the_best_tenth_is_good_and_pending_points_are_bad() {
        let mut known: Vec<Observation> = (0..20).map(|i| observation(i, PointOutcome::Value(i as f64))).collect();
        known[19].outcome = PointOutcome::Failed;
        known[18].outcome = PointOutcome::Value(f64::NAN);
        known.extend((20..25).map(|i| observation(i, PointOutcome::Pending)));
        known.push(observation(25, PointOutcome::Ignored));
        let Split { good, bad } = split(known.iter());
        // 20 points have ended, so two are good. The failed point is not one of them.
        let good: Vec<_> = good.iter().map(|point| point[0]).collect();
        assert_eq!(good, [16, 17].map(|i| Some(Coordinate::Choice(i))));
        assert_eq!(bad.len(), 23);
        assert!((18..25).all(|i| bad.contains(&&known[i].point)));
        assert!(!bad.contains(&&known[25].point));
    }

    #[test]
    fn failed_points_are_never_good() {
        let mut known: Vec<Observation> = (0..30).map(|i| observation(i, PointOutcome::Failed)).collect();
        known[7].outcome = PointOutcome::Value(0.1);
        let Split { good, bad } = split(known.iter());
        assert_eq!((good, bad.len()), (vec![&known[7].point], 29));
    }

    #[test]
    fn old_observations_weigh_less() {
        assert_eq!(weights(3), [1.0; 3]);
        let weights = weights(30);
        assert_eq!(weights[5..], [1.0; 25]);
        assert_eq!(weights[..2], [1.0 / 30.0, 1.0 / 30.0 + (29.0 / 30.0) / 4.0]);
    }
}
