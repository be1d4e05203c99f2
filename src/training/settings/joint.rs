//! The table `[joint]`: a recipe and the settings that override it.

use super::{LossSettings, RateSchedule, SimilaritySettings};
use crate::nn::OptimizerSettings;
use crate::settings::{Reader, choices, settings};
use crate::training::Recipe;

choices! {
    /// Which epoch's weights are the run's; decided on the held-out part of `train/good` alone.
    pub enum SelectionRule {
        /// Lowest unweighted held-out Σ_l mean‖T^ − Ŝ^‖².
        HeldOutLoss = "held-out-loss",
        /// Lowest held-out mean of the product map (the official ST-FPM code).
        HeldOutScore = "held-out-score",
        /// The last epoch.
        Last = "last",
    }
}

choices! {
    /// Which normal images joint training sees.
    pub enum TrainedImages {
        /// The training part of the split.
        Train = "train",
        /// The held-out part, too: only the last epoch can be selected.
        All = "all",
    }
}

settings! {
    /// Phase 2: the student, and the auto-encoders where there are any.
    pub struct JointSettings(usual_recipe: Recipe) => checked {
        /// Named settings of a published code: the defaults of this table.
        pub recipe: Recipe = choice(usual_recipe),
        let base = Self::of(recipe);
        /// Passes over the training part.
        pub epochs: usize = integer(base.epochs, 1..=100_000),
        /// Images per step.
        pub batch_size: usize = integer(base.batch_size, 2..=4096),
        /// Maximum global gradient norm; 0 disables clipping.
        pub clip_norm: f64 = number(base.clip_norm, 0.0..=f64::INFINITY),
        /// Optimiser of the student.
        pub student: OptimizerSettings = table(base.student),
        /// Optimiser of the auto-encoders.
        pub autoencoder: Option<OptimizerSettings> = with(|field| base.autoencoder.map(|base| field.table(base))),
        /// Loss weights, and the similarity loss.
        pub loss: Option<LossSettings> = table(()),
        /// The similarity loss.
        pub similarity: SimilaritySettings = inside("loss", base.similarity),
        /// Normal images to train on.
        pub images: TrainedImages = choice(base.images),
        /// Rule that selects the epoch whose weights count.
        pub selection: SelectionRule = choice(base.selection),
        /// Schedule of the learning rates over the epochs.
        pub schedule: RateSchedule = with(RateSchedule::read),
        /// Epochs over which the learning rates rise linearly from 0.
        pub warm_up: usize = integer(base.warm_up, 0..=100_000),
        /// Epochs without a better one by the selection rule after which training stops; 0 disables stopping.
        pub patience: usize = integer(base.patience, 0..=100_000),
    }
}

impl JointSettings {
    fn checked(self, reader: &Reader<'_>) -> Self {
        let selects = self.selection != SelectionRule::Last;
        if self.images == TrainedImages::All && selects {
            let help = "expected selection = \"last\": all normal images are trained on, and none is left that could tell a good epoch";
            reader.refuse("selection", "`joint.selection` looks at held-out images", help);
        }
        if self.patience > 0 && !selects {
            let help = "expected 0, or a selection rule: there is no better epoch where the last one is taken";
            reader.refuse("patience", "`joint.patience` waits for a better epoch", help);
        }
        self
    }
}
