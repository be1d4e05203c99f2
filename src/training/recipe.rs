//! Recipes: named presets with the settings of published codes.

use super::settings::{
    JointSettings, LossSettings, RateSchedule, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};
use crate::model::{AutoEncoder, Model};
use crate::nn::OptimizerSettings;
use crate::settings::choices;
use crate::training::Distance;

choices! {
    /// A named set of joint settings; what the file gives overrides it.
    pub enum Recipe {
        /// The official ST-FPM code (gdwang08/STFPM): SGD 0.4, momentum 0.9, weight decay 1e-4, batch 32, no clipping, 100 epochs.
        StfpmOfficial = "stfpm-official",
        /// hcw-00/STFPM_anomaly_detection: the official numbers, the loss halved and summed over the batch, all normal images, the last
        /// epoch.
        ///
        /// The gradient is 16 times as large at batch 32.
        Hcw00 = "hcw-00",
        /// anomalib 2.6: as `hcw-00`, with weight decay 1e-3; the oracle's row shows the epoch that it picks on the test set.
        Anomalib26 = "anomalib-2.6",
        /// xiahaifeng1995/STFPM: the sum of `hcw-00` divided by the number of levels; the epoch with the lowest held-out loss.
        Xiahaifeng = "xiahaifeng",
        /// The seed article's joint phase: two optimisers, clipping of the global gradient norm.
        Seed = "seed",
        /// The official code of reverse distillation (hq-deng/RD4AD): Adam 0.005 with first beta 0.5, batch 16, 200 epochs, 1 − cos of
        /// whole feature maps, all normal images, the last epoch.
        ReverseDistillation = "reverse-distillation",
    }
}

impl Recipe {
    /// Returns the recipe of a model if the sweep file names none.
    pub fn usual_for(model: &Model) -> Self {
        match model {
            Model::Encoder(AutoEncoder::None) => Self::StfpmOfficial,
            Model::Encoder(_) => Self::Seed,
            Model::Decoder => Self::ReverseDistillation,
        }
    }

    /// Returns the number of epochs whose weights are also scored on the test images. anomalib picks its epoch there: the oracle's row
    /// shows what that yields.
    pub fn usual_oracle_epochs(self) -> usize {
        if self == Self::Anomalib26 { 20 } else { 0 }
    }
}

impl JointSettings {
    /// Returns the settings of a recipe.
    pub fn of(recipe: Recipe) -> Self {
        let stfpm = |weight_decay| OptimizerSettings::sgd(0.4, 0.9, weight_decay);
        let official = JointSettings {
            recipe,
            epochs: 100,
            batch_size: 32,
            clip_norm: 0.0,
            student: stfpm(1e-4),
            autoencoder: Some(OptimizerSettings::adam(1e-4, 0.0)),
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
            Recipe::ReverseDistillation => JointSettings {
                epochs: 200,
                batch_size: 16,
                student: OptimizerSettings { beta1: 0.5, ..OptimizerSettings::adam(0.005, 0.0) },
                similarity: SimilaritySettings { distance: Distance::FlatCosine, ..official.similarity },
                images: TrainedImages::All,
                selection: SelectionRule::Last,
                ..official
            },
            Recipe::Seed => JointSettings { clip_norm: 1.0, selection: SelectionRule::HeldOutLoss, ..official },
        }
    }
}
