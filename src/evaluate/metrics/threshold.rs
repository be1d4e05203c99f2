//! Effects on test images of a threshold that was set without labels.

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, Thresholded, Undefined};
use crate::statistics::Range;

/// Share of the images above the threshold that are defective.
pub(super) const PRECISION: Metric = Metric::new(&Definition {
    name: "image_precision",
    label: "precision",
    description: "share of the test images above the held-out threshold that are defective",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Threshold(|images| ThresholdCounts::of(images).precision()),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: false,
});

/// Share of the defective images that are above the threshold.
pub(super) const RECALL: Metric = Metric::new(&Definition {
    name: "image_recall",
    label: "recall",
    description: "share of the defective test images that are above the held-out threshold",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Threshold(|images| ThresholdCounts::of(images).recall()),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: false,
});

/// Share of the normal images that are above the threshold.
pub const IMAGE_FALSE_ALARMS: Metric = Metric::new(&Definition {
    name: "image_false_alarms",
    label: "false alarm rate",
    description: "share of the normal test images that are above the held-out threshold",
    direction: Direction::Lower,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Threshold(|images| ThresholdCounts::of(images).false_alarms()),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: false,
});

/// Chance of a false alarm, from the held-out images alone.
pub const IMAGE_FALSE_ALARMS_EXPECTED: Metric = Metric::new(&Definition {
    name: "image_false_alarms_expected",
    label: "expected false alarm rate",
    description: "chance that a new normal image is above the held-out threshold, estimated from the held-out images",
    direction: Direction::Lower,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Threshold(expected_false_alarms),
    resampling: Resampling::Unavailable("this metric is measured on held-out images, not on test images"),
    objective: false,
    per_defect_kind: false,
});

/// Reason why test images are not resampled for numbers at the threshold.
const NOT_RESAMPLED: Resampling = Resampling::Unavailable("test images are not resampled for numbers at the threshold");

/// Numbers of test images by label and by whether their score exceeds a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct ThresholdCounts {
    /// Defective images above the threshold.
    true_positives: u64,
    /// Normal images above the threshold.
    false_positives: u64,
    /// Defective images not above the threshold.
    false_negatives: u64,
    /// Normal images not above the threshold.
    true_negatives: u64,
}

impl ThresholdCounts {
    /// Counts scores strictly above the threshold.
    fn of(images: &Thresholded<'_>) -> Self {
        let mut counts = Self::default();
        for (&score, &label) in images.scores.iter().zip(images.labels) {
            let count = match (label, f64::from(score) > images.threshold) {
                (true, true) => &mut counts.true_positives,
                (false, true) => &mut counts.false_positives,
                (true, false) => &mut counts.false_negatives,
                (false, false) => &mut counts.true_negatives,
            };
            *count += 1;
        }
        counts
    }

    /// Returns the share of the images above the threshold that are defective.
    fn precision(&self) -> Result<f64, Undefined> {
        share(self.true_positives, self.false_positives, "no test image is above the held-out threshold")
    }

    /// Returns the share of the defective images that are above the threshold.
    fn recall(&self) -> Result<f64, Undefined> {
        share(self.true_positives, self.false_negatives, "nothing is defective")
    }

    /// Returns the share of the normal images that are above the threshold.
    fn false_alarms(&self) -> Result<f64, Undefined> {
        share(self.false_positives, self.true_negatives, "nothing is normal")
    }
}

fn share(part: u64, rest: u64, reason: &'static str) -> Result<f64, Undefined> {
    match part + rest {
        0 => Err(Undefined(reason)),
        all => Ok(part as f64 / all as f64),
    }
}

/// Estimates the chance that a new normal image is above a threshold. The chance is at most (1 + number of held-out images above) / (1 + n)
/// if the new image is like the n held-out ones (exchangeable; Vovk, Gammerman and Shafer 2005).
fn expected_false_alarms(images: &Thresholded<'_>) -> Result<f64, Undefined> {
    if images.held_out_trained {
        return Err(Undefined("the held-out images were also trained on, so new images are not like them"));
    }
    if images.held_out.is_empty() {
        return Err(Undefined("no images are held out"));
    }
    let above = images.held_out.iter().filter(|score| f64::from(**score) > images.threshold).count();
    Ok((1 + above) as f64 / (1 + images.held_out.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates test images with these scores and labels, together with held-out images with these scores.
    fn images<'a>(scores: &'a [f32], labels: &'a [bool], threshold: f64, held_out: &'a [f32]) -> Thresholded<'a> {
        Thresholded { scores, labels, threshold, held_out, held_out_trained: false }
    }

    #[test]
    fn counts_and_shares() {
        let counts = ThresholdCounts::of(&images(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true], 2.0, &[]));
        assert_eq!((counts.precision(), counts.recall(), counts.false_alarms()), (Ok(0.5), Ok(0.5), Ok(0.5)));
        let none = ThresholdCounts::of(&images(&[1.0], &[false], 2.0, &[]));
        assert_eq!(none.precision(), Err(Undefined("no test image is above the held-out threshold")));
        assert_eq!((none.recall(), none.false_alarms()), (Err(Undefined("nothing is defective")), Ok(0.0)));
    }

    #[test]
    fn held_out_images_give_the_chance_of_a_false_alarm_unless_they_were_trained_on() {
        let expected = |held_out: &[f32], threshold| expected_false_alarms(&images(&[], &[], threshold, held_out));
        assert_eq!(expected(&[1.0, 2.0, 3.0], 3.0), Ok(0.25));
        assert_eq!(expected(&[1.0, 2.0, 3.0], 1.5), Ok(0.75));
        assert_eq!(expected(&[], 1.0), Err(Undefined("no images are held out")));
        let trained = Thresholded { held_out_trained: true, ..images(&[], &[], 3.0, &[1.0]) };
        assert!(expected_false_alarms(&trained).is_err_and(|why| why.0.contains("trained on")));
    }
}
