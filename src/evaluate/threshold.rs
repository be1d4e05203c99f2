//! Thresholds that need no labels: a quantile of the held-out normals' scores, and mean + 3 standard deviations of their pixels.

/// Returns the `q` quantile (0..=1) of finite values, linear between order statistics as numpy's default; `None` if there are no values.
pub fn quantile(values: &[f32], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    quantile_of_sorted(&sorted, q)
}

/// Computes [`quantile`] for values in ascending order.
pub(super) fn quantile_of_sorted(sorted: &[f32], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let (low, share) = (position.floor() as usize, position.fract());
    let (a, b) = (f64::from(sorted[low]), f64::from(sorted[(low + 1).min(last)]));
    Some(a + (b - a) * share)
}

/// Number of standard deviations above the mean at which the baselines of MVTec AD 2 cut their maps (Heckler-Kram et al. 2025).
const DEVIATIONS: f64 = 3.0;

/// Number, mean and sum of squared deviations of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PixelMoments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl PixelMoments {
    /// Returns the moments of one map.
    pub(super) fn of(values: &[f32]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let squares = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
        Self { count, mean, squares }
    }

    /// Joins the moments of two sets of pixels (Chan, Golub and LeVeque 1979): values far from 0 lose no digits.
    pub(super) fn with(self, other: Self) -> Self {
        let (count, difference) = (self.count + other.count, other.mean - self.mean);
        Self {
            count,
            mean: self.mean + difference * other.count / count,
            squares: self.squares + other.squares + difference.powi(2) * self.count * other.count / count,
        }
    }

    /// Returns mean + 3 population standard deviations.
    pub(super) fn threshold(self) -> f64 {
        self.mean + DEVIATIONS * (self.squares / self.count).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::{PixelMoments, quantile};

    #[test]
    fn the_threshold_of_joined_maps_is_that_of_all_their_pixels() {
        let maps: [&[f32]; 3] = [&[1.0, 3.0], &[5.0], &[7.0, 9.0, 11.0]];
        let joined = maps.map(PixelMoments::of).into_iter().reduce(PixelMoments::with).expect("three maps");
        // The mean is 6 and the population variance (25 + 9 + 1 + 1 + 9 + 25) / 6.
        assert!((joined.threshold() - (6.0 + 3.0 * (70.0_f64 / 6.0).sqrt())).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_numpys() {
        let values = [3.0, 1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&values, 0.9), Some(3.0 + 0.7000000000000002));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
