//! Test of the difference of two ROC areas on the same test images (DeLong, DeLong and Clarke-Pearson 1988).
//!
//! The test generalises to other images from the same source, for one pair of trained networks. Values of several seeds use the same
//! images and must not be pooled as if they were independent.

use statrs::distribution::{ContinuousCDF, Normal};

use super::ranks::count_below;
use super::rounding::is_rounding;
use super::summary::{Summary, summary};

/// Two areas under the ROC curve and the test of their difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delong {
    /// Both areas.
    pub areas: (f64, f64),
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Compares scores of the same images. `None` if a class has fewer than two images, or if the difference has no spread.
pub fn delong(labels: &[bool], one: &[f64], two: &[f64]) -> Option<Delong> {
    let (one, two) = (Placements::of(labels, one)?, Placements::of(labels, two)?);
    let variance = |a: &[f64], b: &[f64]| {
        let Summary { count, deviation, .. } = summary(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())?;
        Some(deviation?.powi(2) / count as f64)
    };
    let variance = variance(&one.positives, &two.positives)? + variance(&one.negatives, &two.negatives)?;
    let standard_error = variance.sqrt();
    // Areas are at most 1.
    if is_rounding(standard_error, 1.0) {
        return None;
    }
    let z = (one.area - two.area) / standard_error;
    let p = 2.0 * Normal::standard().sf(z.abs());
    Some(Delong { areas: (one.area, two.area), standard_error, p })
}

/// For each image, the share of the other class that it is ranked correctly against; ties count half.
struct Placements {
    positives: Vec<f64>,
    negatives: Vec<f64>,
    area: f64,
}

impl Placements {
    fn of(labels: &[bool], scores: &[f64]) -> Option<Self> {
        let of_class = |wanted: bool| -> Vec<f64> {
            labels.iter().zip(scores).filter(|(label, _)| **label == wanted).map(|(_, score)| *score).collect()
        };
        let (positives, negatives) = (of_class(true), of_class(false));
        if positives.len() < 2 || negatives.len() < 2 {
            return None;
        }
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let (low, high) = (sorted(negatives.clone()), sorted(positives.clone()));
        let positives: Vec<f64> =
            positives.into_iter().map(|score| count_below(&low, score) / low.len() as f64).collect();
        let negatives =
            negatives.into_iter().map(|score| 1.0 - count_below(&high, score) / high.len() as f64).collect();
        let area = positives.iter().sum::<f64>() / positives.len() as f64;
        Some(Self { positives, negatives, area })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 10] = [false, false, false, false, true, true, true, true, true, false];

    #[test]
    fn it_agrees_with_a_numpy_implementation() {
        let one = [0.1, 0.4, 0.35, 0.8, 0.9, 0.7, 0.65, 0.3, 0.95, 0.2];
        let two = [0.2, 0.3, 0.6, 0.5, 0.55, 0.9, 0.4, 0.35, 0.8, 0.1];
        let test = delong(&LABELS, &one, &two).expect("two classes");
        assert!((test.areas.0 - 0.8).abs() < 1e-12 && (test.areas.1 - 0.8).abs() < 1e-12);
        assert!((test.standard_error.powi(2) - 0.02).abs() < 1e-12, "{test:?}");
        assert!((test.p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_scores_and_a_single_class_give_no_test() {
        let scores: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(delong(&LABELS, &scores, &scores), None);
        assert_eq!(delong(&[true; 10], &scores, &scores), None);
    }
}
