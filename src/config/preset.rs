//! Named lists of metrics, so that nobody has to type the customary ones.

use crate::evaluate::metrics::{Metric, PAPER};

/// A named list of metrics.
#[derive(Debug)]
pub struct MetricPreset {
    /// Name in sweep files and on the command line.
    pub name: &'static str,
    /// Meaning, one line.
    pub about: &'static str,
    /// The metrics, at least one.
    pub metrics: &'static [Metric],
}

impl MetricPreset {
    /// All presets.
    pub const ALL: [Self; 1] = [Self {
        name: "paper",
        about: "the seven metrics of recent papers and their mean: image AUROC, AP, F1-max; pixel AUROC, AP, F1-max, AUPRO; mAD",
        metrics: &PAPER,
    }];

    /// Returns the preset with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        const { &Self::ALL }.iter().find(|preset| preset.name == name)
    }
}
