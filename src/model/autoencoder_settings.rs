//! What a sweep file says of the auto-encoders, whatever their shape.

use serde::{Deserialize, Serialize};

use super::{LevelSet, UnetSettings};

/// What an auto-encoder must undo in training: with a skip connection it could otherwise copy its input (Vincent et al. 2008).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// Nothing.
    #[default]
    Plain,
    /// Gaussian noise of this deviation is added.
    Noise(f64),
    /// This share of the positions is 0 in all channels.
    Masked(f64),
    /// This share of the values is 0, the others larger by as much (Srivastava et al. 2014).
    Dropout(f64),
}

/// Whose features an auto-encoder A rebuilds, and what is compared: T are the teacher's, S the student's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// The student's; T is compared with A(S).
    #[default]
    Student,
    /// The teacher's, as in EfficientAD (Batzner et al. 2024): a second head of the student predicts A(T); T is compared with S, and
    /// A(T) with that head.
    TeacherHead,
}

/// Two 1×1 convolutions, to few channels and back: each pixel's features in a linear subspace. The cheap control of what the
/// U-Nets' surroundings, skips and non-linearities add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearSettings {
    /// Factor on the bottleneck's channels (C/4·width).
    pub width: f64,
    /// What is done to the features before they enter, in training; the target stays as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input: Corruption,
    /// The teacher's levels that have one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub levels: LevelSet,
    /// Whose features it rebuilds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub placement: Placement,
}

/// What stands beside the student's features in the comparison with the teacher's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoEncoder {
    /// Nothing: ST-FPM itself (Wang et al. 2021).
    None,
    /// One U-Net per level.
    Unet(UnetSettings),
    /// One linear auto-encoder per level.
    Linear(LinearSettings),
}

impl AutoEncoder {
    /// What is done to its input in training.
    pub fn corruption(&self) -> Corruption {
        match self {
            Self::None => Corruption::Plain,
            Self::Unet(unet) => unet.input,
            Self::Linear(linear) => linear.input,
        }
    }

    /// Whose features it rebuilds; none where there is none.
    pub fn placement(&self) -> Option<Placement> {
        match self {
            Self::None => None,
            Self::Unet(unet) => Some(unet.placement),
            Self::Linear(linear) => Some(linear.placement),
        }
    }

    /// Whether a level (from 1) of the teacher's has one.
    pub fn is_at(&self, level: usize) -> bool {
        match self {
            Self::None => false,
            Self::Unet(unet) => unet.levels.contains(level),
            Self::Linear(linear) => linear.levels.contains(level),
        }
    }

    /// Its placement, to be changed.
    pub fn placed(mut self, placement: Placement) -> Self {
        match &mut self {
            Self::None => {}
            Self::Unet(unet) => unet.placement = placement,
            Self::Linear(linear) => linear.placement = placement,
        }
        self
    }
}

/// Settings that are off are no part of a key: those of older stores stay as they are.
pub(crate) fn is_default<V: Default + PartialEq>(value: &V) -> bool {
    *value == V::default()
}
