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
}
