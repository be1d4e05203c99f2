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
    /// Mean, each level by the inverse of its variance on the held-out normals.
    Weighted,
}

/// What is done to each level's map before levels are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Nothing.
    #[default]
    None,
    /// Its quantiles 0.9 and 0.995 on the held-out normals become 0 and 0.1 (Batzner et al. 2024, EfficientAD).
    HeldOut,
}

/// What is done about the frame's border, where padding makes features unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// Nothing.
    #[default]
    None,
    /// So many outermost pixels count as score 0; the ground truth is never cut.
    Crop(usize),
    /// Every pixel's mean on the held-out normals is subtracted and its deviation divided by.
    Reweight,
}

/// How a map becomes the image's score.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageScoreRule {
    /// Its maximum (ST-FPM).
    #[default]
    Max,
    /// The mean of this share of its pixels, the highest.
    TopK(f64),
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
    /// What is done to each level's map first.
    #[serde(default)]
    pub normalise: Normalise,
    /// What is done about the border.
    #[serde(default)]
    pub border: Border,
    /// How the final map becomes a score.
    #[serde(default)]
    pub image_score: ImageScoreRule,
    /// Quantile of the held-out normals' scores above which an image is called defective.
    #[serde(default = "highest")]
    pub threshold_quantile: f64,
    /// Number of evenly spaced epochs whose weights are also scored on test (marked oracle); 0 = none.
    pub oracle_epochs: usize,
}

fn highest() -> f64 {
    1.0
}

impl EvaluateSettings {
    /// ST-FPM's rule: the product of the levels at this side, the maximum.
    pub fn of_stfpm(fuse_size: usize) -> Self {
        Self {
            aggregate: Aggregate::Product,
            fuse_size,
            smoothing_sigma: 0.0,
            normalise: Normalise::None,
            border: Border::None,
            image_score: ImageScoreRule::Max,
            threshold_quantile: highest(),
            oracle_epochs: 0,
        }
    }

    /// Whether the held-out normals decide how levels are joined.
    pub fn fits_levels(&self) -> bool {
        self.normalise == Normalise::HeldOut || self.aggregate == Aggregate::Weighted
    }

    /// Whether the held-out normals decide anything of the map rule.
    pub fn is_fitted(&self) -> bool {
        self.fits_levels() || self.border == Border::Reweight
    }

    /// The map rule alone: how the number of oracle epochs was chosen changes no number of the selected epoch.
    pub fn rule(&self) -> serde_json::Value {
        let mut rule = serde_json::json!(self);
        if let Some(fields) = rule.as_object_mut() {
            fields.shift_remove("oracle_epochs");
        }
        rule
    }
}
