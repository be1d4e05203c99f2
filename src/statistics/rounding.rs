//! Treats differences that are only rounding as equal: metrics of few images have few values, but equal differences have unequal bits.

/// Far above the rounding error of sums of thousands of numbers, and far below the resolution of any metric.
const TOLERANCE: f64 = 1e-12;

/// Returns whether a difference, or a spread of differences, of numbers of magnitude `scale` is only rounding.
pub fn is_rounding(difference: f64, scale: f64) -> bool {
    difference.abs() <= TOLERANCE * scale.abs()
}

/// Returns the largest absolute value.
pub fn scale(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |scale, number| number.abs().max(scale))
}

/// Rounds numbers to multiples of the tolerance, so that those that differ only by rounding tie.
pub fn rounded(numbers: &[f64], scale: f64) -> Vec<f64> {
    let step = TOLERANCE * scale.abs();
    numbers.iter().map(|number| if step > 0.0 { (number / step).round() * step } else { *number }).collect()
}

/// Returns first minus second of each pair; differences that differ only by rounding become equal.
pub fn paired_differences(pairs: &[(f64, f64)]) -> Vec<f64> {
    let differences: Vec<f64> = pairs.iter().map(|(one, two)| one - two).collect();
    rounded(&differences, scale(pairs.iter().flat_map(|(one, two)| [*one, *two])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_equal_up_to_rounding_become_equal() {
        let (one, two) = (0.9875 - 0.975, 0.7625 - 0.75);
        assert!(one != two && is_rounding(one - two, 1.0) && !is_rounding(1e-9, 1.0));
        let rounded = rounded(&[one, two, 1e-17, 0.0125 + 1e-9], 1.0);
        assert!(rounded[0] == rounded[1] && rounded[2] == 0.0 && rounded[3] > rounded[0], "{rounded:?}");
        assert_eq!(scale([-3.0, 2.0]), 3.0);
        let pairs = paired_differences(&[(0.9875, 0.975), (0.7625, 0.75), (0.1 + 0.2, 0.3)]);
        assert!(pairs[0] == pairs[1] && pairs[0] > 0.012 && pairs[2] == 0.0, "{pairs:?}");
        assert!(is_rounding(0.0, 0.0));
    }
}
