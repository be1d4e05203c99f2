//! Highest F1 over all thresholds. It uses the labels, so it is an oracle's number, as in the literature.

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, Sweep, Undefined};
use crate::statistics::Range;

/// Highest F1 over the pixels of all test images.
pub(super) const PIXEL_F1_MAX: Metric = Metric::new(&Definition {
    name: "pixel_f1max",
    label: "pixel F1-max",
    description: "highest F1 of all test pixels over all thresholds",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(|pixels| Ok(f1_max(pixels)?.value)),
    resampling: NOT_RESAMPLED,
    objective: true,
    per_defect_kind: false,
});

/// Highest F1 over the test images.
pub(super) const IMAGE_F1_MAX: Metric = Metric::new(&Definition {
    name: "image_f1max",
    label: "image F1-max",
    description: "highest F1 of the test images over all thresholds",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Images(|images| Ok(f1_max(images)?.value)),
    resampling: NOT_RESAMPLED,
    objective: true,
    per_defect_kind: false,
});

/// Reason why test images are not resampled for this metric.
const NOT_RESAMPLED: Resampling = Resampling::Unavailable("test images are not resampled for F1-max");

/// The highest F1 and its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct F1Max {
    /// F1 = 2·TP / (2·TP + FP + FN).
    pub value: f64,
    /// Highest score at which this F1 is reached.
    pub threshold: f32,
}

/// Returns the maximum of F1 over distinct scores; elements with score ≥ threshold are called defective.
pub fn f1_max(sweep: &Sweep) -> Result<F1Max, Undefined> {
    let (positives, _) = sweep.both_classes()?;
    let mut best = F1Max { value: 0.0, threshold: f32::INFINITY };
    for threshold in sweep.thresholds() {
        // 2·TP + FP + FN = called + positives.
        let called = threshold.true_positives + threshold.false_positives;
        let value = 2.0 * threshold.true_positives as f64 / (called + positives) as f64;
        if value > best.value {
            best = F1Max { value, threshold: threshold.score };
        }
    }
    Ok(best)
}
