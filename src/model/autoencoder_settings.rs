//! The table `[model]`: the kind of auto-encoder, and the settings that all kinds share.

use serde::{Deserialize, Serialize};

use super::{LevelSet, UnetSettings};
use crate::settings::{Reader, Settings, alternatives, choices};

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

/// Two 1×1 convolutions, to few channels and back: they keep each pixel's features in a linear subspace.
///
/// This cheap control shows what the neighbourhoods, skips and non-linearities of U-Nets add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearSettings {
    /// Factor on the bottleneck's channels (C/4·width).
    pub width: f64,
    /// Corruption of the input features in training. The target stays uncorrupted.
    pub input: Corruption,
    /// Levels of the teacher that have an auto-encoder.
    pub levels: LevelSet,
    /// Network whose features the auto-encoder rebuilds.
    pub placement: Placement,
}

choices! {
    /// What rebuilds features before they are compared with the teacher's.
    pub enum AutoEncoder by AutoEncoderKind {
        /// Nothing: ST-FPM itself (Wang et al. 2021).
        None = "none",
        /// One U-Net per level.
        Unet(UnetSettings) = "unet",
        /// Two 1×1 convolutions per level, the cheap control; `width`, `input`, `levels` and `placement` apply.
        Linear(LinearSettings) = "linear",
    }
}

impl Settings for AutoEncoder {
    /// The levels that are compared.
    type Given = LevelSet;

    fn read(reader: &Reader<'_>, compared: LevelSet) -> Self {
        let kind = reader.at("autoencoder", "Kind of auto-encoder behind the student.").choice(AutoEncoderKind::Unet);
        let unet = UnetSettings::read(reader, compared);
        match kind {
            AutoEncoderKind::None => Self::None,
            AutoEncoderKind::Unet => Self::Unet(unet),
            AutoEncoderKind::Linear => Self::Linear(LinearSettings {
                width: unet.width,
                input: unet.input,
                levels: unet.levels,
                placement: unet.placement,
            }),
        }
    }
}

impl AutoEncoder {
    /// Returns the corruption of its input in training.
    pub fn corruption(&self) -> Corruption {
        match self {
            Self::None => Corruption::Plain,
            Self::Unet(unet) => unet.input,
            Self::Linear(linear) => linear.input,
        }
    }

    /// Returns the network whose features it rebuilds, or `None` without an auto-encoder.
    pub fn placement(&self) -> Option<Placement> {
        match self {
            Self::None => None,
            Self::Unet(unet) => Some(unet.placement),
            Self::Linear(linear) => Some(linear.placement),
        }
    }

    /// Returns whether a level (from 1) of the teacher has an auto-encoder.
    pub fn is_at(&self, level: usize) -> bool {
        match self {
            Self::None => false,
            Self::Unet(unet) => unet.levels.contains(level),
            Self::Linear(linear) => linear.levels.contains(level),
        }
    }

    /// Returns the same auto-encoder with another placement.
    pub fn placed(mut self, placement: Placement) -> Self {
        match &mut self {
            Self::None => {}
            Self::Unet(unet) => unet.placement = placement,
            Self::Linear(linear) => linear.placement = placement,
        }
        self
    }
}
