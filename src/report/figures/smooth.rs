//! A smooth curve through points, with a band.

/// Number of positions of a curve.
const POSITIONS: usize = 41;
/// Share of the points that count at a position, and minimum number of points for a curve.
const SPAN: f64 = 0.4;
const FEWEST: usize = 8;
/// Half the width of a 95 % band, in standard errors of a normal distribution.
const BAND: f64 = 1.96;

/// A curve with its band: x, mean, half the width of the band.
pub(super) type Smooth = Vec<(f64, f64, f64)>;

/// Returns the local mean of points (x, y): at each position the mean of the nearest points, which count less the farther they are
/// (tricube weights, as in Cleveland 1979). The band is the pointwise 95 % interval of this mean. Empty with fewer than eight points.
pub(super) fn smooth(points: &[(f64, f64)]) -> Smooth {
    if points.len() < FEWEST {
        return Smooth::new();
    }
    let (low, high) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (x, _)| (l.min(*x), h.max(*x)));
    let near = ((SPAN * points.len() as f64).ceil() as usize).max(FEWEST / 2);
    let at = |index: usize| {
        let x = low + (high - low) * index as f64 / (POSITIONS - 1) as f64;
        let mut distances: Vec<f64> = points.iter().map(|(other, _)| (other - x).abs()).collect();
        distances.sort_by(f64::total_cmp);
        let reach = (distances[near - 1] * 1.001).max(1e-9);
        let weight = |other: f64| (1.0 - ((other - x).abs() / reach).min(1.0).powi(3)).powi(3);
        let weighted: Vec<(f64, f64)> = points.iter().map(|(other, y)| (weight(*other), *y)).collect();
        let sum: f64 = weighted.iter().map(|(weight, _)| weight).sum();
        let mean = weighted.iter().map(|(weight, y)| weight * y).sum::<f64>() / sum;
        let squares: f64 = weighted.iter().map(|(weight, y)| (weight * (y - mean)).powi(2)).sum();
        (x, mean, BAND * squares.sqrt() / sum)
    };
    if high > low { (0..POSITIONS).map(at).collect() } else { Smooth::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_follows_its_points_and_needs_enough_of_them() {
        let points: Vec<(f64, f64)> = (0..30).map(|i| (f64::from(i), if i < 15 { 0.0 } else { 1.0 })).collect();
        let curve = smooth(&points);
        assert_eq!(curve.len(), POSITIONS);
        assert!(curve[0].1 < 0.05 && curve[POSITIONS - 1].1 > 0.95 && curve[0].2 < 0.05, "{curve:?}");
        assert!(curve[POSITIONS / 2].2 > 0.1, "the band is wide where the points differ");
        assert!(smooth(&points[..7]).is_empty() && smooth(&[(1.0, 2.0); 9]).is_empty());
    }
}
