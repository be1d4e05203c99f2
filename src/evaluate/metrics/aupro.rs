//! Area under the per-region overlap curve (Bergmann et al. 2021, §6.1), exact: every distinct score is a threshold.
//!
//! PRO(t) is the mean, over all 8-connected defect components, of the share of a component at or above t. FPR(t) is over the normal pixels
//! of all images. The area ends at an FPR limit, with linear interpolation there, and is divided by the limit.

use super::{
    Definition, Direction, Histograms, Metric, MetricSource, Pooled, Population, Resampling, Sweep, Undefined, Weighing,
};
use crate::statistics::Range;

/// AUPRO up to the false positive rate that is customary for MVTec AD.
pub const AUPRO: Metric = Metric::new(&Definition {
    name: "aupro",
    label: "AUPRO",
    description: "area under the per-region overlap curve up to a false positive rate of 0.3; 8-connected, every distinct score is a \
                  threshold",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(|pixels| aupro(pixels, PRO_LIMIT)),
    resampling: Resampling::Histograms(Histograms {
        weighing: Weighing::Components,
        value: |pooled| binned(pooled, PRO_LIMIT),
    }),
    objective: true,
    per_defect_kind: false,
});

/// Customary false positive rate up to which the curve is integrated.
pub const PRO_LIMIT: f64 = 0.3;

/// Returns the curve's points (FPR, PRO), starting with (0, 0), then one per distinct score.
pub fn pro_points(sweep: &Sweep) -> Result<impl Iterator<Item = (f64, f64)> + '_, Undefined> {
    let (_, negatives) = sweep.both_classes()?;
    let points = sweep.thresholds().map(move |t| (t.false_positives as f64 / negatives as f64, t.overlap));
    Ok(std::iter::once((0.0, 0.0)).chain(points))
}

/// Returns the area under PRO(FPR) from 0 to `limit`, divided by `limit`.
pub fn aupro(sweep: &Sweep, limit: f64) -> Result<f64, Undefined> {
    Ok(area_to(limit, pro_points(sweep)?.skip(1)))
}

/// Returns the area under straight lines from (0, 0) through points with ascending x, up to x = `limit`, divided by `limit`. After the
/// last point, the curve stays at its height.
pub(super) fn area_to(limit: f64, points: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
    for (next_x, next_y) in points {
        if next_x >= limit {
            let share = if next_x > x { (limit - x) / (next_x - x) } else { 0.0 };
            let at_limit = y + share * (next_y - y);
            return (area + (limit - x) * (y + at_limit) / 2.0) / limit;
        }
        area += (next_x - x) * (y + next_y) / 2.0;
        (x, y) = (next_x, next_y);
    }
    (area + (limit - x) * y) / limit
}

/// Computes the same area from histograms, with the bins' edges as thresholds: between them, the curve is a straight line.
pub(super) fn binned(pooled: &Pooled<'_>, limit: f64) -> Option<f64> {
    let negatives: f64 = pooled.normal.iter().map(|n| f64::from(*n)).sum();
    if negatives <= 0.0 || pooled.components <= 0.0 {
        return None;
    }
    let edges = pooled.normal.iter().zip(pooled.defective).scan((0.0, 0.0), |(x, y), (normal, overlap)| {
        *x += f64::from(*normal) / negatives;
        *y += overlap / pooled.components;
        Some((*x, *y))
    });
    Some(area_to(limit, edges))
}
