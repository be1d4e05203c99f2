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
}
