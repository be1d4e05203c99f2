//! The similarity loss, which ties the student (behind its auto-encoders) to the teacher.

use crate::settings::{choices, settings};
use crate::training::Distance;

choices! {
    /// How the similarity of a batch becomes one number per level: published codes differ in the factor, and so in what a learning rate
    /// means.
    pub enum Reduction {
        /// Mean over images and pixels (the official code).
        Mean = "mean",
        /// Half of it, summed over the images (hcw-00, anomalib): batch/2 times as much.
        HalfSum = "half-sum",
        /// The half sum divided by the number of levels (xiahaifeng1995).
        HalfSumOverLevels = "half-sum-over-levels",
    }
}

impl Reduction {
    /// Returns the factor on the mean for a number of images and levels.
    pub fn factor(self, images: usize, levels: usize) -> f64 {
        match self {
            Self::Mean => 1.0,
            Self::HalfSum => images as f64 / 2.0,
            Self::HalfSumOverLevels => images as f64 / 2.0 / levels as f64,
        }
    }
}

settings! {
    /// The similarity loss.
    pub struct SimilaritySettings: Copy (base: SimilaritySettings) {
        /// Distance between the features of teacher and student.
        pub distance: Distance = choice(base.distance),
        /// Reduction of a batch's distances to one number.
        pub reduction: Reduction = choice(base.reduction),
        /// Quantile of a level's normalised distances in a batch below which pixels do not count; 0 counts all.
        ///
        /// The hard-feature loss of EfficientAD (Batzner et al. 2024), by pixels instead of values.
        pub hard_quantile: f64 = number(base.hard_quantile, 0.0..=0.9999),
    }
}

impl Default for SimilaritySettings {
    fn default() -> Self {
        Self { distance: Distance::Normalised, reduction: Reduction::Mean, hard_quantile: 0.0 }
    }
}
