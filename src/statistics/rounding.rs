//! What of a difference is only rounding: metrics of few images take few values, and equal differences of them are not equal bits.

/// Far above what sums of some thousand numbers lose, far below what any metric resolves.
const TOLERANCE: f64 = 1e-12;

/// Whether a difference, or a spread of differences, of numbers of the size `scale` is nothing but rounding.
pub fn is_rounding(difference: f64, scale: f64) -> bool {
    difference.abs() <= TOLERANCE * scale.abs()
}

/// The largest size among numbers.
pub fn scale(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |scale, number| number.abs().max(scale))
}

/// Numbers with those that differ by rounding made equal, so that they tie: multiples of the tolerance.
pub fn rounded(numbers: &[f64], scale: f64) -> Vec<f64> {
    let step = TOLERANCE * scale.abs();
    numbers.iter().map(|number| if step > 0.0 { (number / step).round() * step } else { *number }).collect()
}

/// First minus second of each pair, with those that differ by rounding made equal.
pub fn paired_differences(pairs: &[(f64, f64)]) -> Vec<f64> {
    let differences: Vec<f64> = pairs.iter().map(|(one, two)| one - two).collect();
    rounded(&differences, scale(pairs.iter().flat_map(|(one, two)| [*one, *two])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_are_equal() {
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
