//! Area under the per-region overlap curve (Bergmann et al. 2021, §6.1), exact: every distinct score is a threshold.
//!
//! PRO(t) is the mean over all 8-connected defect components of the share at or above t; FPR(t) is over the normal pixels
//! of all images. The area runs to an FPR limit, with linear interpolation there, and is divided by the limit.

use super::{Sweep, Undefined};

/// The false positive rate to which the curve is integrated by custom.
pub const PRO_LIMIT: f64 = 0.3;

/// The curve's points (FPR, PRO) from (0, 0) on, one a distinct score.
pub fn pro_points(sweep: &Sweep) -> Result<impl Iterator<Item = (f64, f64)> + '_, Undefined> {
    let (_, negatives) = sweep.both_classes()?;
    let points = sweep.thresholds().map(move |t| (t.false_positives as f64 / negatives as f64, t.overlap));
    Ok(std::iter::once((0.0, 0.0)).chain(points))
}

/// Area under PRO(FPR) from 0 to `limit`, divided by `limit`.
pub fn aupro(sweep: &Sweep, limit: f64) -> Result<f64, Undefined> {
    let mut points = pro_points(sweep)?;
    let (mut x, mut y) = points.next().unwrap_or((0.0, 0.0));
    let mut area = 0.0;
    for (next_x, next_y) in points {
        if next_x >= limit {
            let share = if next_x > x { (limit - x) / (next_x - x) } else { 0.0 };
            let at_limit = y + share * (next_y - y);
            return Ok((area + (limit - x) * (y + at_limit) / 2.0) / limit);
        }
        area += (next_x - x) * (y + next_y) / 2.0;
        (x, y) = (next_x, next_y);
    }
    Ok((area + (limit - x) * y) / limit)
}
