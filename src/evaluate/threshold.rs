//! A threshold that needs no labels: a quantile of the held-out normals' scores.

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

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_numpys() {
        let values = [3.0, 1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&values, 0.9), Some(3.0 + 0.7000000000000002));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
