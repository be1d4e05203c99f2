//! Ranks and rank correlation.

use super::rounding::{rounded, scale};

/// Returns Spearman's rank correlation (1904), with mean ranks for ties. `None` for fewer than three pairs, or if one side is constant.
pub fn spearman(one: &[f64], two: &[f64]) -> Option<f64> {
    let count = one.len();
    if count < 3 || two.len() != count {
        return None;
    }
    // Numbers that differ only by rounding tie.
    let ranked = |numbers: &[f64]| ranks(&rounded(numbers, scale(numbers.iter().copied())));
    let (one, two) = (ranked(one), ranked(two));
    let middle = (count + 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (product(&one, &one) * product(&two, &two)).sqrt();
    (spread > 0.0).then(|| product(&one, &two) / spread)
}

/// Counts how many of the ascending values are below a value; equal ones count half.
pub(crate) fn count_below(ascending: &[f64], value: f64) -> f64 {
    let less = ascending.partition_point(|other| *other < value);
    let at_most = ascending.partition_point(|other| *other <= value);
    (less + at_most) as f64 / 2.0
}

/// Returns ranks from 1; equal values share their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
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
    fn rank_correlation_agrees_with_scipy() {
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])
        let tied = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).expect("five pairs");
        assert!((tied - 0.820_782_681_668_123_3).abs() < 1e-12, "{tied}");
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[0.3, 0.2, 0.1]), Some(-1.0));
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[0.3, 0.1 + 0.2, 0.3], &[1.0, 2.0, 3.0]), None);
    }
}
