//! The value that the official ST-FPM code calls PRO: thresholds at 4,000 equal steps of score, false positive rates up to 0.3, then both
//! axes rescaled to 0..1.
//!
//! It is larger than AUPRO (0.859 against 0.511 on the golden case). One reason is that the curve's last value becomes 1. The other is that
//! product maps have few pixels above most thresholds. Its only purpose is a comparison with published numbers of that code.

use super::{Definition, Direction, Metric, MetricSource, PRO_LIMIT, Population, Resampling, Sweep, Undefined};
use crate::statistics::Range;

/// Rescaled PRO over all defects of the test images.
pub(super) const RESCALED_PRO: Metric = Metric::new(&Definition {
    name: "aupro_stfpm_rescaled",
    label: "rescaled PRO",
    description: "value that the official ST-FPM code calls PRO: both axes of the curve are rescaled to 0 … 1; not comparable with \
                  other metrics",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(rescaled_pro),
    resampling: Resampling::Unavailable("test images are not resampled for the rescaled PRO"),
    objective: false,
    per_defect_kind: false,
});

/// Number of thresholds.
const STEPS: usize = 4000;

/// Returns the area under the rescaled curve.
pub fn rescaled_pro(sweep: &Sweep) -> Result<f64, Undefined> {
    let (_, negatives) = sweep.both_classes()?;
    let (Some(highest), Some(lowest)) = (sweep.thresholds().next(), sweep.lowest()) else {
        return Err(Undefined("there is nothing to rank"));
    };
    let (highest, lowest) = (f64::from(highest.score), f64::from(lowest));
    let step = (highest - lowest) / STEPS as f64;
    let mut thresholds = sweep.thresholds().peekable();
    let (mut rate, mut overlap) = (0.0, 0.0);
    let mut points = Vec::with_capacity(STEPS);
    for index in 0..STEPS {
        let at = highest - index as f64 * step;
        while let Some(threshold) = thresholds.next_if(|threshold| f64::from(threshold.score) > at) {
            rate = threshold.false_positives as f64 / negatives as f64;
            overlap = threshold.overlap;
        }
        if rate > PRO_LIMIT {
            break;
        }
        points.push((rate, overlap));
    }
    let (&(x0, y0), &(x1, y1)) = match (points.first(), points.last()) {
        (Some(first), Some(last)) if last.0 > first.0 && last.1 > first.1 => (first, last),
        _ => return Err(Undefined("the curve has no width up to the limit")),
    };
    let area: f64 =
        points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1 - 2.0 * y0) / 2.0).sum();
    Ok(area / ((x1 - x0) * (y1 - y0)))
}
