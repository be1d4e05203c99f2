//! The metrics: one file per formula, each metric registered in `REGISTERED`. All code that names, shows, compares or searches for a
//! metric uses this registry.
//!
//! Ranking metrics are computed from one sorted sweep of thresholds: exact, with correct ties, and with sums in f64 and u64.

mod aupimo;
mod aupro;
mod aupro_05;
mod auroc;
mod auspro;
mod average_precision;
#[cfg(test)]
mod catalogue;
mod components;
mod f1_max;
#[cfg(test)]
mod golden;
mod mean_of_seven;
mod metric;
#[cfg(test)]
mod properties;
mod resampling;
mod rescaled_pro;
mod scored;
mod segmentation;
#[cfg(test)]
mod slow;
mod sweep;
mod threshold;

pub use aupimo::{Aupimo, aupimo};
pub use aupro::{AUPRO, PRO_LIMIT, aupro, pro_points};
pub use auroc::{IMAGE_AUROC, PIXEL_AUROC, PSEUDO_PIXEL_AUROC, auroc};
pub use average_precision::average_precision;
pub use components::label_components;
pub use f1_max::{F1Max, f1_max};
pub use mean_of_seven::PAPER;
pub use metric::{Definition, Direction, Metric, MetricSource, Population, Scope, UnknownMetric};
pub use resampling::{Histograms, Pooled, Resampling, Weighing};
pub use rescaled_pro::rescaled_pro;
pub use scored::{Pixels, SaturatedDefects, Scored, Segmented, Thresholded};
pub use sweep::{NotFinite, Sweep, Threshold, Undefined};
pub use threshold::{IMAGE_FALSE_ALARMS, IMAGE_FALSE_ALARMS_EXPECTED};

/// The metrics that are also measured under each lighting of the test images, if the data set names it.
pub const LIGHTING: [Metric; 5] =
    [auroc::IMAGE_AUROC, auroc::PIXEL_AUROC, aupro_05::AUPRO_05, segmentation::SEG_F1, segmentation::CLASS_F1];

/// All metrics, in the order of lists.
static REGISTERED: &[Metric] = &[
    auroc::PIXEL_AUROC,
    auroc::IMAGE_AUROC,
    aupro::AUPRO,
    aupro_05::AUPRO_05,
    average_precision::PIXEL_AP,
    average_precision::IMAGE_AP,
    f1_max::PIXEL_F1_MAX,
    f1_max::IMAGE_F1_MAX,
    mean_of_seven::MEAN_OF_SEVEN,
    aupimo::AUPIMO,
    auspro::AUSPRO_05,
    auspro::AUSPRO,
    segmentation::SEG_F1,
    segmentation::CLASS_F1,
    rescaled_pro::RESCALED_PRO,
    threshold::PRECISION,
    threshold::RECALL,
    threshold::IMAGE_FALSE_ALARMS,
    threshold::IMAGE_FALSE_ALARMS_EXPECTED,
    auroc::PSEUDO_PIXEL_AUROC,
    auroc::PSEUDO_IMAGE_AUROC,
];
