//! The losses of joint training with auto-encoders, in the table `[joint.loss]`.

use super::LossWeighting;
use crate::settings::{Reader, choices, defaults, settings};

choices! {
    /// Whether the reconstruction loss also moves the student.
    pub enum ReconstructionGradient {
        /// Student and auto-encoders.
        Both = "both",
        /// The auto-encoders only.
        Autoencoder = "autoencoder",
    }
}

choices! {
    /// What the auto-encoders' output should look like.
    pub enum ReconstructionTarget {
        /// The student's features, which they see.
        Student = "student",
        /// The teacher's features.
        Teacher = "teacher",
        /// Both: the mean of the two losses.
        Both = "both",
    }
}

settings! {
    /// The losses of joint training with auto-encoders.
    pub struct LossSettings => checked {
        /// Weight of the reconstruction loss, Σ_l MSE(A(S), S).
        pub reconstruction: f64 = number(1.0, 0.0..=1e6),
        /// Weight of the similarity loss, Σ_l mean‖T^ − A(S)^‖².
        pub similarity: f64 = number(1.0, 0.0..=1e6),
        /// Networks that the gradient of the reconstruction loss moves.
        pub reconstruction_gradient: ReconstructionGradient = choice(ReconstructionGradient::Both),
        /// Features that the auto-encoders reconstruct.
        pub target: ReconstructionTarget = choice(ReconstructionTarget::Student),
        /// Compare directions alone in reconstruction, mean Σ_c (A^ − S^)², instead of values.
        pub normalised: bool = flag(false),
        /// Rule that moves the weights of the two losses.
        pub weighting: LossWeighting = with(LossWeighting::read),
    }
}

impl Default for LossSettings {
    fn default() -> Self {
        defaults(())
    }
}

impl LossSettings {
    fn checked(self, reader: &Reader<'_>) -> Self {
        if self.similarity <= 0.0 {
            let help = "expected a positive weight: without it nothing ties the student to the teacher";
            reader.refuse("similarity", "`joint.loss.similarity` is 0", help);
        }
        if self.reconstruction <= 0.0 && self.weighting != LossWeighting::Fixed {
            let help = "expected a positive weight, or weighting = \"fixed\": one loss alone has nothing to be weighed against";
            reader.refuse("reconstruction", "`joint.loss.reconstruction` is 0", help);
        }
        self
    }
}
