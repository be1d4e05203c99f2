//! Adjustment of p-values for multiple tests.

/// Returns Holm's step-down adjustment (1979) of p-values that are examined together, in their order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        floor = floor.max(((p_values.len() - rank) as f64 * p_values[index]).min(1.0));
        adjusted[index] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_is_monotone_and_at_most_one() {
        // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.6], method="holm")
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.6]);
        for (ours, theirs) in adjusted.iter().zip([0.04, 0.09, 0.09, 0.6]) {
            assert!((ours - theirs).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
