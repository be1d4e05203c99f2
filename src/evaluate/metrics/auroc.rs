//! Area under the ROC curve, as the Mann–Whitney statistic: ties count half.

use super::{Sweep, Undefined};

/// P(score of a defective element > score of a normal one) + ½ P(equal).
pub fn auroc(sweep: &Sweep) -> Result<f64, Undefined> {
    let (positives, negatives) = sweep.both_classes()?;
    let (mut above, mut seen, mut twice) = (0_u64, 0_u64, 0_u128);
    for threshold in sweep.thresholds() {
        let tied = threshold.true_positives - above;
        let normals = threshold.false_positives - seen;
        twice += u128::from(normals) * u128::from(2 * above + tied);
        (above, seen) = (threshold.true_positives, threshold.false_positives);
    }
    Ok(twice as f64 / (2.0 * positives as f64 * negatives as f64))
}
