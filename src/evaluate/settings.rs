//! What a sweep file says of evaluation.

use serde::{Deserialize, Serialize};

/// How the level maps become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    /// Element-wise product (ST-FPM).
    Product,
    /// Sum.
    Sum,
    /// Mean.
    Mean,
}

/// The map rule and the oracle request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateSettings {
    /// How level maps are joined.
    pub aggregate: Aggregate,
    /// Side at which level maps are joined, pixels.
    pub fuse_size: usize,
    /// Gaussian smoothing of the final map, pixels; 0 = none.
    pub smoothing_sigma: f64,
    /// Number of evenly spaced epochs whose weights are also scored on test (marked oracle); 0 = none.
    pub oracle_epochs: usize,
}

impl EvaluateSettings {
    /// The map rule alone, as it stands in keys.
    pub fn rule(&self) -> serde_json::Value {
        serde_json::json!({
            "aggregate": self.aggregate,
            "fuse_size": self.fuse_size,
            "smoothing_sigma": self.smoothing_sigma,
        })
    }
}

/// Whose weights a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checkpoint {
    /// The epoch that the selection rule picked.
    Selected,
    /// The last epoch.
    Last,
    /// The best epoch on test: looks at labels, always marked.
    Oracle,
}
