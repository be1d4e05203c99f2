//! Area under the ROC curve, as the Mann–Whitney statistic: ties count half.

use super::{
    Definition, Direction, Histograms, Metric, MetricSource, Pooled, Population, Resampling, Sweep, Undefined, Weighing,
};
use crate::statistics::Range;

/// AUROC over the pixels of all test images.
pub const PIXEL_AUROC: Metric = Metric::new(&Definition {
    name: "pixel_auroc",
    label: "pixel AUROC",
    description: "area under the ROC curve of all test pixels; ties count half",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(auroc),
    resampling: Resampling::Histograms(Histograms { weighing: Weighing::Pixels, value: binned }),
    objective: true,
    per_defect_kind: true,
});

/// AUROC over the test images.
pub const IMAGE_AUROC: Metric = Metric::new(&Definition {
    name: "image_auroc",
    label: "image AUROC",
    description: "area under the ROC curve of the test images; ties count half",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Images(auroc),
    resampling: Resampling::ImageRanks,
    objective: true,
    per_defect_kind: true,
});

/// Reason why painted images are never resampled.
const NO_TEST_IMAGES: Resampling =
    Resampling::Unavailable("this metric is measured on painted images, not on test images");

/// AUROC over the pixels of the held-out normal images, with and without painted defects.
pub const PSEUDO_PIXEL_AUROC: Metric = Metric::new(&Definition {
    name: "pseudo_pixel_auroc",
    label: "pixel AUROC on painted defects",
    description: "pixel AUROC on held-out normal images with painted defects; uses no label and no test image",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Painted,
    source: MetricSource::Pixels(auroc),
    resampling: NO_TEST_IMAGES,
    objective: true,
    per_defect_kind: false,
});

/// AUROC over the held-out normal images, with and without painted defects.
pub(super) const PSEUDO_IMAGE_AUROC: Metric = Metric::new(&Definition {
    name: "pseudo_image_auroc",
    label: "image AUROC on painted defects",
    description: "image AUROC of held-out normal images with painted defects against those without defects",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Painted,
    source: MetricSource::Images(auroc),
    resampling: NO_TEST_IMAGES,
    objective: false,
    per_defect_kind: false,
});

/// Returns P(score of a defective element > score of a normal one) + ½ P(equal).
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

/// Computes the same from histograms: pixels in the same bin count as tied.
fn binned(pooled: &Pooled<'_>) -> Option<f64> {
    let (mut above, mut wins, mut negatives) = (0.0, 0.0, 0.0);
    for (normal, defective) in pooled.normal.iter().zip(pooled.defective) {
        wins += f64::from(*normal) * (above + defective / 2.0);
        above += defective;
        negatives += f64::from(*normal);
    }
    (above > 0.0 && negatives > 0.0).then(|| wins / (above * negatives))
}
