//! Wilcoxon's signed-rank test (1945).

use statrs::function::erf::erfc;

/// Largest number of differences for the exact distribution.
const MAX_EXACT: usize = 25;

/// Returns the one-sided p-value of "differences are symmetric about 0" against "they are below 0". Zeros are omitted. The test is
/// exact for at most 25 nonzero differences, with mean ranks for ties. For more it uses the normal approximation, with the correction
/// for ties and without continuity correction, as `scipy.stats.wilcoxon(…, alternative="less")`.
pub fn p_below(differences: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    sorted.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let count = sorted.len();
    if count == 0 {
        return 1.0;
    }
    // Doubled, so that mean ranks are integers.
    let mut ranks: Vec<usize> = Vec::with_capacity(count);
    let (mut positive, mut ties) = (0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let shared = 2 * ranks.len() + tied.len() + 1;
        positive += shared * tied.iter().filter(|difference| **difference > 0.0).count();
        ties += (tied.len() as f64).powi(3) - tied.len() as f64;
        ranks.extend(std::iter::repeat_n(shared, tied.len()));
    }
    if count <= MAX_EXACT {
        return exact(&ranks, positive);
    }
    let n = count as f64;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    let standard = (positive as f64 / 2.0 - n * (n + 1.0) / 4.0) / variance.sqrt();
    0.5 * erfc(-standard / std::f64::consts::SQRT_2)
}

/// Returns the two-sided p-value of paired differences; `None` for fewer than six, which could not be significant.
pub fn wilcoxon(differences: &[f64]) -> Option<f64> {
    const MIN_DIFFERENCES: usize = 6;
    if differences.iter().filter(|difference| **difference != 0.0).count() < MIN_DIFFERENCES {
        return None;
    }
    let negated: Vec<f64> = differences.iter().map(|difference| -difference).collect();
    Some((2.0 * p_below(differences).min(p_below(&negated))).min(1.0))
}

/// Returns the share of the 2ⁿ sign assignments whose positive ranks sum to at most `sum`.
fn exact(ranks: &[usize], sum: usize) -> f64 {
    let max: usize = ranks.iter().sum();
    let mut counts = vec![0.0_f64; max + 1];
    counts[0] = 1.0;
    for rank in ranks {
        for total in (*rank..=max).rev() {
            counts[total] += counts[total - rank];
        }
    }
    counts[..=sum.min(max)].iter().sum::<f64>() / 2.0_f64.powi(ranks.len() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences and `scipy.stats.wilcoxon(d, alternative="less", correction=False).pvalue` of SciPy 1.17, with `method="exact"` for the
    /// first three and "approx" for the fourth. For the last, with ties, all 2¹⁰ signs of `scipy.stats.rankdata` were enumerated.
    #[test]
    fn p_values_agree_with_scipy() {
        let cases: [(&[f64], f64); 5] = [
            (&[-0.3, -0.1, -0.2, 0.05], 0.125),
            (&[0.04558, 0.52162, 0.03044, -1.60316, 0.60536, 0.14637, -0.83695, 0.28112, 0.06457], 0.751953125),
            (
                &[
                    -1.465, -0.823, -0.159, -2.525, -0.419, -1.446, -0.932, -0.744, -0.516, 0.212, 0.843, -0.329,
                    1.166, -0.865, 0.152, 0.703, -0.106, -0.943, -1.122, -0.658, 0.02, -1.21, -0.409, -0.359, 0.341,
                ],
                0.00403439998626709,
            ),
            (
                &[
                    0.1147, 0.2554, -0.7538, -0.2296, 0.684, 1.3934, -1.3591, 1.4139, 1.2459, 0.6813, 0.1645, -0.4139,
                    1.358, 1.8603, 1.7016, 1.2151, 0.2574, -1.3083, -0.1045, 0.5565, -1.3884, 0.2951, 0.3299, 0.596,
                    -1.2841, -0.7617, -0.5364, -1.2698, 1.6394, -0.5959, 0.229, -0.3586, 1.4835, 1.2204, 0.5334,
                    -2.3035, -0.048, 0.5837, 0.904, -0.7179,
                ],
                0.8842054591430717,
            ),
            (&[-1.0, -1.0, 2.0, -3.0, -3.0, -3.0, 4.0, -5.0, 0.5, -2.0], 0.0986328125),
        ];
        for (differences, expected) in cases {
            let p = p_below(differences);
            assert!((p - expected).abs() < 1e-9, "{p}, not {expected}, of {differences:?}");
        }
    }

    #[test]
    fn two_sided_p_values_agree_with_scipy() {
        // scipy.stats.wilcoxon(d, method="exact")
        let exact = wilcoxon(&[0.02, -0.01, 0.03, 0.045, 0.04, 0.021, -0.012, 0.05]).expect("eight");
        assert!((exact - 0.039_062_5).abs() < 1e-12, "{exact}");
        // All 2¹⁰ signs of the mean ranks.
        let tied = wilcoxon(&[1., 2., 2., -1., 3., 4., -2., 5., 6., 7.]).expect("ten");
        assert!((tied - 0.025_390_625).abs() < 1e-12, "{tied}");
        // Six equal differences: all signs are alike in 2 of 2⁶ cases.
        assert_eq!(wilcoxon(&[0.01; 6]), Some(0.03125));
        assert_eq!(wilcoxon(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
    }

    #[test]
    fn zeros_are_omitted() {
        assert_eq!(p_below(&[0.0; 5]), 1.0);
        assert_eq!(p_below(&[0.0, -1.0, -2.0, -3.0]), 0.125);
    }
}
