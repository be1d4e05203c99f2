//! AUPRO up to a false positive rate of 0.05, the limit of MVTec AD 2 (Heckler-Kram et al. 2025). It is relevant where few false alarms are
//! allowed.

use super::aupro::{aupro, binned};
use super::{Definition, Direction, Histograms, Metric, MetricSource, Population, Resampling, Weighing};
use crate::statistics::Range;

/// False positive rate up to which the curve is integrated.
const LIMIT: f64 = 0.05;

/// AUPRO up to this limit, over all defects of the test images.
pub(super) const AUPRO_05: Metric = Metric::new(&Definition {
    name: "aupro_05",
    label: "AUPRO (FPR ≤ 0.05)",
    description: "as `aupro`, up to a false positive rate of 0.05, the limit of MVTec AD 2",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Pixels(|pixels| aupro(pixels, LIMIT)),
    resampling: Resampling::Histograms(Histograms {
        weighing: Weighing::Components,
        value: |pooled| binned(pooled, LIMIT),
    }),
    objective: true,
    per_defect_kind: false,
});
