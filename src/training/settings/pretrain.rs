//! The table `[pretrain]`.

use crate::nn::MIN_RATE;
use crate::settings::{defaults, settings};

settings! {
    /// Phase 1: each auto-encoder learns to reconstruct the teacher's features (MSE, Adam).
    pub struct PretrainSettings {
        /// Passes over the training part; 0 skips the phase.
        pub epochs: usize = integer(50, 0..=100_000),
        /// Images per step.
        pub batch_size: usize = integer(32, 2..=4096),
        /// Learning rate of Adam.
        pub learning_rate: f64 = number(1e-3, MIN_RATE..=10.0),
        /// Maximum global gradient norm; 0 disables clipping.
        pub clip_norm: f64 = number(0.0, 0.0..=f64::INFINITY),
    }
}

impl Default for PretrainSettings {
    /// Returns the settings of a sweep file that sets none of them.
    fn default() -> Self {
        defaults(())
    }
}
