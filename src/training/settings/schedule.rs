//! Schedules of the learning rates over the epochs.

use crate::settings::alternatives;

alternatives! {
    /// How the learning rates move over the epochs.
    pub enum RateSchedule {
        /// Keep the learning rates.
        Constant = "constant",
        /// Lower them to 0 along half a cosine, step by step (Loshchilov and Hutter 2017, without restarts).
        Cosine = "cosine",
        /// Multiply them by `step_factor` every `step_epochs` epochs.
        Step { step_epochs: usize, step_factor: f64 } = "step",
    } with {
        /// Epochs between two steps of the schedule `step`.
        step_epochs = integer(30, 1..=100_000),
        /// Factor of each step of the schedule `step`.
        step_factor = number(0.1, 1e-6..=1.0),
    }
}

impl RateSchedule {
    /// Returns the factor on the learning rates after `trained` of all `epochs` (fractions count). It rises linearly over the first
    /// `warm_up` epochs.
    pub fn factor(&self, trained: f64, epochs: usize, warm_up: usize) -> f64 {
        let warm_up = warm_up as f64;
        if trained < warm_up {
            // The first step needs a positive rate.
            return (trained / warm_up).max(1e-3);
        }
        let trained = trained - warm_up;
        match *self {
            Self::Constant => 1.0,
            Self::Cosine => {
                let share = trained / (epochs as f64 - warm_up).max(1.0);
                0.5 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos())
            }
            Self::Step { step_epochs, step_factor } => step_factor.powi((trained / step_epochs as f64).floor() as i32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall_as_their_schedule_says() {
        let cosine = |trained| RateSchedule::Cosine.factor(trained, 12, 2);
        assert_eq!((cosine(0.0), cosine(1.0), cosine(2.0)), (1e-3, 0.5, 1.0));
        assert!((cosine(7.0) - 0.5).abs() < 1e-12 && cosine(12.0).abs() < 1e-12);
        let step = RateSchedule::Step { step_epochs: 4, step_factor: 0.1 };
        assert_eq!(step.factor(3.9, 12, 0), 1.0);
        assert!((step.factor(8.0, 12, 0) - 0.01).abs() < 1e-12);
        assert_eq!(RateSchedule::Constant.factor(11.0, 12, 0), 1.0);
    }
}
