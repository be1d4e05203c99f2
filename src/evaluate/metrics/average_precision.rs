//! Average precision: Σ (recall step · precision), the step sum of scikit-learn, not the trapezoid.

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, Sweep, Undefined};
use crate::statistics::Range;

/// Average precision over the pixels of all test images.
pub(super) const PIXEL_AP: Metric = Metric::new(&Definition {
    name: "pixel_ap",
    label: "pixel AP",
    description: "average precision of all test pixels: the sum of recall steps times precision",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(average_precision),
    resampling: NOT_RESAMPLED,
    objective: true,
    per_defect_kind: false,
});

/// Average precision over the test images.
pub(super) const IMAGE_AP: Metric = Metric::new(&Definition {
    name: "image_ap",
    label: "image AP",
    description: "average precision of the test images: the sum of recall steps times precision",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Images(average_precision),
    resampling: NOT_RESAMPLED,
    objective: true,
    per_defect_kind: false,
});

/// Reason why test images are not resampled for this metric.
const NOT_RESAMPLED: Resampling = Resampling::Unavailable("test images are not resampled for average precision");

/// Returns Σ_t (R_t − R_{t−1}) · P_t over distinct scores from high to low.
pub fn average_precision(sweep: &Sweep) -> Result<f64, Undefined> {
    let (positives, _) = sweep.both_classes()?;
    let (mut before, mut sum) = (0, 0.0);
    for threshold in sweep.thresholds() {
        let hits = threshold.true_positives;
        let called = (hits + threshold.false_positives) as f64;
        sum += (hits - before) as f64 * (hits as f64 / called);
        before = hits;
    }
    Ok(sum / positives as f64)
}
