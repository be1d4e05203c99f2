//! What a sweep file says of training.

use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use crate::model::is_default;
use crate::nn::OptimizerSettings;

/// Whether the reconstruction loss also moves the student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReconstructionGradient {
    /// Student and auto-encoders.
    Both,
    /// The auto-encoders only.
    Autoencoder,
}

/// What two feature maps T (the teacher's) and Ŝ differ by, a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// Σ_c (T^ − Ŝ^)² (Wang et al. 2021), ^ = divided by the channels' L2 norm.
    #[default]
    Normalised,
    /// 1 − cos(T, Ŝ), which is half of [`Distance::Normalised`].
    Cosine,
    /// Mean over the channels of (T − Ŝ)²: the features' lengths count, too.
    Mse,
}

/// How the similarity of a batch becomes one number a level: published codes differ in the factor, and so in what a learning rate means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Mean over images and pixels (the official code).
    #[default]
    Mean,
    /// Half of it, summed over the images instead of averaged (hcw-00, anomalib): B/2 times as much.
    HalfSum,
    /// The same divided by the number of levels (xiahaifeng1995).
    HalfSumOverLevels,
}

impl Reduction {
    /// The factor on the mean for so many images and levels.
    pub fn factor(self, images: usize, levels: usize) -> f64 {
        match self {
            Self::Mean => 1.0,
            Self::HalfSum => images as f64 / 2.0,
            Self::HalfSumOverLevels => images as f64 / 2.0 / levels as f64,
        }
    }
}

/// The similarity loss: what ties the student (behind its auto-encoders) to the teacher.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SimilaritySettings {
    /// What is averaged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub distance: Distance,
    /// How.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reduction: Reduction,
    /// Only pixels whose normalised distance is at or above this quantile of their level and batch count (the hard-feature loss of
    /// EfficientAD, Batzner et al. 2024, by pixels instead of values); 0 = all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hard_quantile: f64,
}

/// What the auto-encoders' output should look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReconstructionTarget {
    /// The student's features, which they see.
    #[default]
    Student,
    /// The teacher's.
    Teacher,
    /// Both: the mean of the two losses.
    Both,
}

/// How the two losses are weighed against each other while they change.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossWeighting {
    /// Not at all.
    #[default]
    Fixed,
    /// By learnt variances (Kendall, Gal and Cipolla 2018): Σ ½·e^(−s)·L + ½·s.
    Uncertainty {
        /// Step size of s.
        rate: f64,
    },
    /// Dynamic weight average (Liu, Johns and Davison 2019): a loss that falls slower weighs more, from epoch to epoch.
    Dwa {
        /// Evens the weights out where it is high.
        temperature: f64,
    },
    /// Gradient normalisation (Chen et al. 2018): the gradients' norms follow the losses' rates of falling. A step trains twice.
    GradNorm {
        /// How strongly a loss that falls slower is favoured.
        alpha: f64,
        /// Step size of the weights.
        rate: f64,
    },
    /// Analytical uncertainty (UW-SO, Kirchdorfer et al. 2024): softmax of 1/L.
    UwSo {
        /// Evens the weights out where it is high.
        temperature: f64,
    },
}

/// The losses of joint training with auto-encoders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossSettings {
    /// Factor of the reconstruction loss, Σ_l MSE(A(S), S).
    pub reconstruction: f64,
    /// Factor of the similarity loss, Σ_l mean‖T^ − A(S)^‖².
    pub similarity: f64,
    /// Where the reconstruction's gradient goes.
    pub reconstruction_gradient: ReconstructionGradient,
    /// What is reconstructed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub target: ReconstructionTarget,
    /// Whether reconstruction compares directions alone: mean Σ_c (A^ − S^)² instead of the MSE.
    #[serde(default, skip_serializing_if = "is_default")]
    pub normalised: bool,
    /// What moves the weights.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weighting: LossWeighting,
}

impl Default for LossSettings {
    fn default() -> Self {
        Self {
            reconstruction: 1.0,
            similarity: 1.0,
            reconstruction_gradient: ReconstructionGradient::Both,
            target: ReconstructionTarget::default(),
            normalised: false,
            weighting: LossWeighting::default(),
        }
    }
}

/// Phase 1: each auto-encoder learns to reconstruct the teacher's features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainSettings {
    /// Passes over the training part.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
}

/// Which epoch's weights are the run's; decided on the held-out part of `train/good` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionRule {
    /// Lowest unweighted held-out Σ_l mean‖T^ − Ŝ^‖².
    HeldOutLoss,
    /// Lowest held-out mean of the product map (the official ST-FPM code).
    HeldOutScore,
    /// The last epoch.
    Last,
}

/// Which normal images joint training sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainedImages {
    /// The training part of the split.
    #[default]
    Train,
    /// The held-out part, too: nothing is left that could select an epoch.
    All,
}

/// How the learning rates move over the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateSchedule {
    /// Not at all.
    #[default]
    Constant,
    /// To 0 along half a cosine (Loshchilov and Hutter 2017, without restarts), step by step.
    Cosine,
    /// Multiplied by a factor again and again.
    Step {
        /// Epochs between.
        every: usize,
        /// The factor.
        factor: f64,
    },
}

impl RateSchedule {
    /// The factor on the learning rates once so many of all `epochs` are trained (fractions count), after a linear rise over the
    /// first `warm_up` epochs.
    pub fn factor(&self, trained: f64, epochs: usize, warm_up: usize) -> f64 {
        let warm_up = warm_up as f64;
        if trained < warm_up {
            // The first step has some rate, too.
            return (trained / warm_up).max(1e-3);
        }
        let trained = trained - warm_up;
        match *self {
            Self::Constant => 1.0,
            Self::Cosine => {
                let share = trained / (epochs as f64 - warm_up).max(1.0);
                0.5 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos())
            }
            Self::Step { every, factor } => factor.powi((trained / every as f64).floor() as i32),
        }
    }
}

/// Phase 2: the student, and the auto-encoders where there are any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointSettings {
    /// The recipe that the values come from.
    pub recipe: Recipe,
    /// Passes over the training part.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Ceiling of the global gradient norm; 0 = no clipping.
    pub clip_norm: f64,
    /// The student's optimiser.
    pub student: OptimizerSettings,
    /// The auto-encoders' optimiser; absent without auto-encoders.
    pub autoencoder: Option<OptimizerSettings>,
    /// Loss weights; absent without auto-encoders.
    pub loss: Option<LossSettings>,
    /// The similarity loss.
    #[serde(default, skip_serializing_if = "is_default")]
    pub similarity: SimilaritySettings,
    /// The images.
    #[serde(default, skip_serializing_if = "is_default")]
    pub images: TrainedImages,
    /// Rule that picks the epoch.
    pub selection: SelectionRule,
    /// How the learning rates move.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedule: RateSchedule,
    /// Epochs in which the learning rates rise from nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub warm_up: usize,
    /// Training stops after so many epochs without a better one by the selection rule; 0 = never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub patience: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall_as_their_schedule_says() {
        let cosine = |trained| RateSchedule::Cosine.factor(trained, 12, 2);
        assert_eq!((cosine(0.0), cosine(1.0), cosine(2.0)), (1e-3, 0.5, 1.0));
        assert!((cosine(7.0) - 0.5).abs() < 1e-12 && cosine(12.0).abs() < 1e-12);
        let step = RateSchedule::Step { every: 4, factor: 0.1 };
        assert_eq!(step.factor(3.9, 12, 0), 1.0);
        assert!((step.factor(8.0, 12, 0) - 0.01).abs() < 1e-12);
        assert_eq!(RateSchedule::Constant.factor(11.0, 12, 0), 1.0);
    }
}
