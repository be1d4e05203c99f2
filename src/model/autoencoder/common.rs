//! Settings that all kinds of auto-encoders share.

use crate::model::LevelSet;
use crate::settings::{alternatives, choices, defaults, settings};

alternatives! {
    /// What an auto-encoder must undo in training: with a skip connection it could otherwise copy its input (Vincent et al. 2008).
    pub enum Corruption {
        /// Leave the features as they are.
        Plain = "plain",
        /// Add Gaussian noise.
        Noise { input_noise: f64 } = "noise",
        /// Set a share of the positions to 0 in all channels.
        Masked { input_share: f64 } = "masked",
        /// Set a share of the values to 0 and scale the others up by as much (Srivastava et al. 2014).
        Dropout { input_share: f64 } = "dropout",
    } with {
        /// Standard deviation of the noise.
        input_noise = number(0.3, 1e-6..=1e3),
        /// Share of the positions or values that are set to 0.
        input_share = number(0.25, 1e-6..=0.95),
    }
}

choices! {
    /// Whose features an auto-encoder A rebuilds, and what is compared: T are the teacher's, S the student's.
    pub enum Placement {
        /// The student's: T is compared with A(S).
        Student = "student",
        /// The teacher's, as in EfficientAD (Batzner et al. 2024): a second head of the student predicts A(T); T is compared with S,
        /// and A(T) with that head.
        TeacherHead = "teacher-head",
    }
}

settings! {
    /// Settings of every auto-encoder, whatever its kind.
    pub struct CommonSettings: Copy (compared: LevelSet) {
        /// Factor on the inner channels: C·2^i·width in stage i of a U-Net, C/4·width in a linear auto-encoder or a perceptron.
        pub width: f64 = number(1.0, 0.05..=8.0),
        /// Corruption that auto-encoders must undo in training; their target stays as it is.
        pub input: Corruption = with(Corruption::read),
        /// Levels that have an auto-encoder; at the others the student is compared with the teacher directly.
        pub levels: LevelSet = with(|field| LevelSet::read_some_of(field, compared)),
        /// Features that the auto-encoders rebuild.
        pub placement: Placement = choice(Placement::Student),
    }
}

impl Default for CommonSettings {
    /// Returns the settings of a sweep file that sets none of them.
    fn default() -> Self {
        defaults(LevelSet::ALL)
    }
}
