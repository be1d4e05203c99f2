//! Rules that weight the two losses against each other while they change.

use crate::nn::MIN_RATE;
use crate::settings::alternatives;

alternatives! {
    /// How the two losses are weighed against each other while they change.
    pub enum LossWeighting {
        /// Keep the weights.
        Fixed = "fixed",
        /// Learn variances (Kendall, Gal and Cipolla 2018): Σ ½·e^(−s)·L + ½·s.
        Uncertainty { weighting_rate: f64 } = "uncertainty",
        /// Dynamic weight average (Liu, Johns and Davison 2019): a loss that falls slower weighs more, from epoch to epoch.
        Dwa { weighting_temperature: f64 } = "dwa",
        /// Gradient normalisation (Chen et al. 2018): the gradients' norms follow the losses' rates of falling. A step trains twice.
        GradNorm { weighting_alpha: f64, weighting_rate: f64 } = "gradnorm",
        /// Analytical uncertainty (UW-SO, Kirchdorfer et al. 2024): softmax of 1/L.
        UwSo { weighting_temperature: f64 } = "uw-so",
    } with {
        /// Step size of the weights, for `uncertainty` and `gradnorm`.
        weighting_rate = number(0.025, MIN_RATE..=1.0),
        /// Temperature of the softmax, for `dwa` and `uw-so`: a high one evens the weights out.
        weighting_temperature = number(2.0, 1e-3..=1e6),
        /// How strongly `gradnorm` favours a loss that falls slower.
        weighting_alpha = number(1.5, 0.0..=10.0),
    }
}
