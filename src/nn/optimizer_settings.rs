//! The optimiser and its constants: the tables `[joint.student]` and `[joint.autoencoder]`.

use crate::settings::{Field, choices, settings};

/// Smallest learning rate. With a rate of 0, nothing would be trained.
pub const MIN_RATE: f64 = 1e-12;

choices! {
    /// Update rule of an optimiser.
    pub enum Algorithm {
        /// PyTorch's SGD with momentum and L2 weight decay.
        Sgd = "sgd",
        /// Adam (Kingma and Ba 2015) with L2 weight decay, second beta 0.999, eps 1e-8.
        Adam = "adam",
        /// Adam with decoupled weight decay (Loshchilov and Hutter 2019), the same constants.
        Adamw = "adamw",
    }
}

settings! {
    /// An optimiser with its constants.
    pub struct OptimizerSettings: Copy (base: OptimizerSettings) {
        /// Update rule.
        pub optimizer: Algorithm = choice(base.optimizer),
        /// Step size.
        pub learning_rate: f64 = number(base.learning_rate_of(optimizer), MIN_RATE..=1e4),
        /// Factor of the weights in the gradient. With `adamw`: share of the weights that each step removes, times the learning rate.
        pub weight_decay: f64 = number(base.weight_decay, 0.0..=1.0),
        /// Share of the previous update that is added to each update; 0 turns momentum off.
        pub momentum: f64 = with(|field| base.read_momentum(field, optimizer)),
        /// Decay rate of the mean of the gradients, with `adam` and `adamw`.
        #[serde(default = "usual_beta1", skip_serializing_if = "is_usual_beta1")]
        pub beta1: f64 = with(|field| base.read_beta1(field, optimizer)),
    }
}

/// The first beta that Kingma and Ba propose, PyTorch's default.
const USUAL_BETA1: f64 = 0.9;

fn usual_beta1() -> f64 {
    USUAL_BETA1
}

fn is_usual_beta1(beta1: &f64) -> bool {
    *beta1 == USUAL_BETA1
}

impl OptimizerSettings {
    /// Returns the settings of SGD.
    pub const fn sgd(learning_rate: f64, momentum: f64, weight_decay: f64) -> Self {
        Self { optimizer: Algorithm::Sgd, learning_rate, weight_decay, momentum, beta1: USUAL_BETA1 }
    }

    /// Returns the settings of Adam with the usual betas.
    pub const fn adam(learning_rate: f64, weight_decay: f64) -> Self {
        Self { optimizer: Algorithm::Adam, learning_rate, weight_decay, momentum: 0.0, beta1: USUAL_BETA1 }
    }

    /// Returns the default learning rate. Optimisers need rates of different scales: one that is not the recipe's gets its usual rate.
    fn learning_rate_of(self, optimizer: Algorithm) -> f64 {
        match optimizer {
            optimizer if optimizer == self.optimizer => self.learning_rate,
            Algorithm::Sgd => 0.1,
            Algorithm::Adam | Algorithm::Adamw => 1e-3,
        }
    }

    fn read_momentum(self, field: Field<'_>, optimizer: Algorithm) -> f64 {
        let usual = if self.optimizer == Algorithm::Sgd { self.momentum } else { 0.9 };
        match optimizer {
            Algorithm::Sgd => field.number(usual, 0.0..=0.999_999),
            Algorithm::Adam | Algorithm::Adamw => 0.0,
        }
    }

    /// Reads the first beta. SGD has none: it keeps the usual value, so that equal trainings are equal settings.
    fn read_beta1(self, field: Field<'_>, optimizer: Algorithm) -> f64 {
        let beta1 = field.number(self.beta1, 0.0..=0.999_999);
        if optimizer == Algorithm::Sgd { USUAL_BETA1 } else { beta1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_beta_is_left_out_of_keys() {
        let usual = OptimizerSettings::adam(1e-3, 0.0);
        let text = serde_json::to_string(&usual).expect("JSON");
        assert_eq!(text, r#"{"optimizer":"adam","learning_rate":0.001,"weight_decay":0.0,"momentum":0.0}"#);
        for settings in [usual, OptimizerSettings { beta1: 0.5, ..usual }] {
            let text = serde_json::to_string(&settings).expect("JSON");
            assert_eq!(serde_json::from_str::<OptimizerSettings>(&text).expect("settings"), settings);
        }
    }
}
