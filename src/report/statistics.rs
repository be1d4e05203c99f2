//! Means, deviations, and the interval of a paired difference.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and spread of a few numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1); none of fewer than two.
    pub deviation: Option<f64>,
}

/// Mean and standard deviation; none of no numbers.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Summary { count, mean, deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()) })
}

/// A mean of paired differences with its 95 % interval and the p-value of "no difference".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Pairs.
    pub count: usize,
    /// Mean difference.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Student's paired t; none of fewer than two differences, or of differences without any spread.
pub fn paired_t(differences: &[f64]) -> Option<PairedT> {
    let Summary { count, mean, deviation } = summary(differences)?;
    let standard_error = deviation? / (count as f64).sqrt();
    if standard_error <= 0.0 {
        return None;
    }
    let distribution = StudentsT::new(0.0, 1.0, (count - 1) as f64).ok()?;
    let reach = distribution.inverse_cdf(0.975) * standard_error;
    let p = 2.0 * distribution.sf((mean / standard_error).abs());
    Some(PairedT { count, mean, low: mean - reach, high: mean + reach, p })
}

/// Holm's step-down adjustment (1979) of p-values that were looked at together; in their order.
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

/// Spearman's rank correlation (1904), ties by mean ranks; none of fewer than three pairs, or where one side does not vary.
pub fn spearman(one: &[f64], two: &[f64]) -> Option<f64> {
    let count = one.len();
    if count < 3 || two.len() != count {
        return None;
    }
    let (one, two) = (ranks(one), ranks(two));
    let middle = (count + 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (product(&one, &one) * product(&two, &two)).sqrt();
    (spread > 0.0).then(|| product(&one, &two) / spread)
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal + 1) as f64 / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_p_values_are_scipys() {
        // scipy.stats.ttest_1samp([0.01, 0.02, 0.03, 0.04, 0.05], 0) and its confidence_interval(0.95)
        let t = paired_t(&[0.01, 0.02, 0.03, 0.04, 0.05]).expect("five pairs");
        assert!((t.low - 0.010_367_568).abs() < 1e-8, "{}", t.low);
        assert!((t.high - 0.049_632_432).abs() < 1e-8);
        assert!((t.p - 0.013_235_6).abs() < 1e-6, "{}", t.p);
        assert_eq!(paired_t(&[1.0]), None);
        assert_eq!(paired_t(&[0.0, 0.0]), None);
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[2.0]).and_then(|s| s.deviation), None);
    }

    #[test]
    fn rank_correlation_is_scipys() {
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])
        let tied = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).expect("five pairs");
        assert!((tied - 0.820_782_681_668_123_3).abs() < 1e-12, "{tied}");
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[0.3, 0.2, 0.1]), Some(-1.0));
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
    }

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
