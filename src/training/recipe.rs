//! Recipes: the settings of published codes, by name.

use serde::{Deserialize, Serialize};

use super::settings::{
    JointSettings, LossSettings, RateSchedule, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};
use crate::nn::OptimizerSettings;

/// A named set of joint settings; what the file gives overrides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// The official ST-FPM code (gdwang08/STFPM): SGD 0.4, momentum 0.9, weight decay 1e-4, batch 32, no clipping, 100 epochs.
    StfpmOfficial,
    /// hcw-00/STFPM_anomaly_detection: the official numbers, but the loss is halved and summed over the batch (16 times the gradient
    /// at batch 32), every normal image is trained on, and the last epoch is taken.
    #[serde(rename = "hcw-00")]
    Hcw00,
    /// anomalib 2.6: as hcw-00, with weight decay 1e-3. Its own epoch is picked on the test set: that is the oracle's row.
    #[serde(rename = "anomalib-2.6")]
    Anomalib26,
    /// xiahaifeng1995/STFPM: hcw-00's sum divided by the number of levels; the epoch with the lowest held-out loss.
    Xiahaifeng,
    /// The seed article's joint phase: two optimisers, global-norm clipping.
    Seed,
}

impl JointSettings {
    /// The settings of a recipe.
    pub fn of(recipe: Recipe) -> Self {
        let stfpm = |weight_decay| OptimizerSettings::Sgd { learning_rate: 0.4, momentum: 0.9, weight_decay };
        let official = JointSettings {
            recipe,
            epochs: 100,
            batch_size: 32,
            clip_norm: 0.0,
            student: stfpm(1e-4),
            autoencoder: Some(OptimizerSettings::Adam { learning_rate: 1e-4, weight_decay: 0.0 }),
            loss: Some(LossSettings::default()),
            similarity: SimilaritySettings::default(),
            images: TrainedImages::Train,
            selection: SelectionRule::HeldOutScore,
            schedule: RateSchedule::Constant,
            warm_up: 0,
            patience: 0,
        };
        let summed = SimilaritySettings { reduction: Reduction::HalfSum, ..SimilaritySettings::default() };
        let hcw00 = JointSettings {
            similarity: summed,
            images: TrainedImages::All,
            selection: SelectionRule::Last,
            ..official.clone()
        };
        match recipe {
            Recipe::StfpmOfficial => official,
            Recipe::Hcw00 => hcw00,
            Recipe::Anomalib26 => JointSettings { student: stfpm(1e-3), ..hcw00 },
            Recipe::Xiahaifeng => JointSettings {
                similarity: SimilaritySettings { reduction: Reduction::HalfSumOverLevels, ..summed },
                selection: SelectionRule::HeldOutLoss,
                ..official
            },
            Recipe::Seed => JointSettings { clip_norm: 1.0, selection: SelectionRule::HeldOutLoss, ..official },
        }
    }
}
