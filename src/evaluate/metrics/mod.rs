//! Ranking metrics, all read off one sorted sweep of thresholds: exact, ties counted right, sums in f64 and u64.

mod aupimo;
mod aupro;
mod auroc;
mod average_precision;
mod components;
mod f1_max;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
mod rescaled_pro;
#[cfg(test)]
mod slow;
mod sweep;
mod threshold_counts;

pub use aupimo::{Aupimo, aupimo};
pub use aupro::{PRO_LIMIT, aupro, pro_points};
pub use auroc::auroc;
pub use average_precision::average_precision;
pub use components::label_components;
pub use f1_max::{F1Max, f1_max};
pub use rescaled_pro::rescaled_pro;
pub use sweep::{NotFinite, Sweep, Threshold, Undefined};
pub use threshold_counts::{ThresholdCounts, expected_false_alarms};
