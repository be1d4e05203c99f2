//! Averages the curves of several seeds: the mean and the range at a fixed number of x values.

use crate::evaluate::Curve;

/// Number of points of an averaged curve.
const POINTS: usize = 101;

/// One variant's curve over its seeds, at [`POINTS`] equal steps of x.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Average {
    /// Points (x, mean).
    pub mean: Curve,
    /// Outline of the range: points (x, lowest) forwards, then (x, highest) backwards. Empty for one seed.
    pub range: Curve,
}

impl Average {
    /// Averages curves over 0..=`end`, each with ascending x. Returns `None` if no curve has points.
    pub(super) fn of(curves: &[&Curve], end: f64) -> Option<Self> {
        let curves: Vec<&&Curve> = curves.iter().filter(|curve| !curve.is_empty()).collect();
        if curves.is_empty() {
            return None;
        }
        let xs = (0..POINTS).map(|index| end * index as f64 / (POINTS - 1) as f64);
        let values: Vec<(f64, Vec<f64>)> =
            xs.map(|x| (x, curves.iter().map(|curve| value_at(curve, x)).collect())).collect();
        let point = |of: fn(&[f64]) -> f64| values.iter().map(move |(x, values)| (*x, of(values)));
        let lowest = point(|values| values.iter().copied().fold(f64::INFINITY, f64::min));
        let highest = point(|values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let range = if curves.len() > 1 { lowest.chain(highest.rev()).collect() } else { Curve::new() };
        Some(Self { mean: point(|values| values.iter().sum::<f64>() / values.len() as f64).collect(), range })
    }
}

/// Returns the curve's value at x: the top of a step, the straight line between two points, or the end value beyond an end.
fn value_at(curve: &Curve, x: f64) -> f64 {
    let after = curve.partition_point(|(point, _)| *point <= x);
    match (after.checked_sub(1).map(|before| curve[before]), curve.get(after)) {
        (Some((left, low)), Some(&(right, high))) => low + (high - low) * (x - left) / (right - left),
        (Some((_, value)), None) | (None, Some(&(_, value))) => value,
        (None, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_taken_at_its_top_and_a_line_in_its_middle() {
        let stairs: Curve = vec![(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|x| value_at(&stairs, x)), [0.5, 0.5, 1.0, 1.0]);
        let line: Curve = vec![(0.2, 1.0), (0.6, 0.0)];
        assert_eq!([0.0, 0.2, 1.0].map(|x| value_at(&line, x)), [1.0, 1.0, 0.0]);
        assert!((value_at(&line, 0.4) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn seeds_have_a_mean_and_a_range() {
        let (one, other): (Curve, Curve) = (vec![(0.0, 0.2), (0.3, 0.2)], vec![(0.0, 0.6), (0.3, 0.6)]);
        let average = Average::of(&[&one, &other, &Curve::new()], 0.3).expect("two curves");
        assert_eq!((average.mean.len(), average.range.len()), (POINTS, 2 * POINTS));
        assert!(average.mean.iter().all(|(_, value)| (value - 0.4).abs() < 1e-12));
        assert_eq!((average.range[0], average.range[2 * POINTS - 1]), ((0.0, 0.2), (0.0, 0.6)));
        assert!(Average::of(&[&one], 0.3).expect("a curve").range.is_empty());
        assert_eq!(Average::of(&[&Curve::new()], 1.0), None);
    }
}
