//! Average precision: Σ (recall step · precision), scikit-learn's step sum, not the trapezoid.

use super::{Sweep, Undefined};

/// Σ_t (R_t − R_{t−1}) · P_t over distinct scores from high to low.
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
