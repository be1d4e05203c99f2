//! The seven metrics that papers report side by side, and their mean, often called mAD (Zhang et al. 2023, "Exploring Plain Vision
//! Transformer Reconstruction for Multi-class Unsupervised Anomaly Detection").

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling};
use super::{aupro, auroc, average_precision, f1_max};
use crate::statistics::Range;

/// The seven metrics, in the order of the papers' tables.
const SEVEN: [Metric; 7] = [
    auroc::IMAGE_AUROC,
    average_precision::IMAGE_AP,
    f1_max::IMAGE_F1_MAX,
    auroc::PIXEL_AUROC,
    average_precision::PIXEL_AP,
    f1_max::PIXEL_F1_MAX,
    aupro::AUPRO,
];

/// The seven metrics and their mean: `report.metrics = "paper"`.
pub const PAPER: [Metric; 8] = {
    let mut all = [MEAN_OF_SEVEN; 8];
    let mut index = 0;
    while index < SEVEN.len() {
        all[index] = SEVEN[index];
        index += 1;
    }
    all
};

/// Mean of the seven metrics of one run.
pub(super) const MEAN_OF_SEVEN: Metric = Metric::new(&Definition {
    name: "mean_of_seven",
    label: "mAD",
    description: "mean of image AUROC, AP and F1-max and of pixel AUROC, AP, F1-max and AUPRO; undefined if one of them is",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Mean(&SEVEN),
    resampling: Resampling::Unavailable("test images are not resampled for a mean of metrics"),
    objective: false,
    per_defect_kind: false,
});
