//! What a sweep file says of training.

use serde::{Deserialize, Serialize};

use crate::nn::OptimizerSettings;

/// A named set of joint settings; what the file gives overrides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// The official ST-FPM code: SGD 0.4, momentum 0.9, weight decay 1e-4, batch 32, no clipping, 100 epochs.
    StfpmOfficial,
    /// The seed article's joint phase: two optimisers, global-norm clipping.
    Seed,
}

/// Whether the reconstruction loss also moves the student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReconstructionGradient {
    /// Student and auto-encoders.
    Both,
    /// The auto-encoders only.
    Autoencoder,
}

/// Weights of the two losses of joint training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossSettings {
    /// Factor of Σ_l MSE(A(S), S).
    pub reconstruction: f64,
    /// Factor of Σ_l mean‖T^ − A(S)^‖².
    pub similarity: f64,
    /// Where the reconstruction's gradient goes.
    pub reconstruction_gradient: ReconstructionGradient,
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

/// Settings that are off are no part of a key: those of older stores stay as they are.
fn is_default<V: Default + PartialEq>(value: &V) -> bool {
    *value == V::default()
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
