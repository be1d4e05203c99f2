//! What a sweep file says of a U-Net's parts.

use serde::{Deserialize, Serialize};

use super::LevelSet;
use super::autoencoder_settings::{Corruption, Placement, is_default};
use crate::nn::Padding;
use crate::tensor::Activation;

/// How a U-Net's contraction stages are joined to its expansion stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// No connection: everything passes the bottleneck.
    None,
    /// The contraction stage's input is added.
    Add,
    /// Concatenated after projection to half the channels, no convolution afterwards.
    Concat,
    /// Concatenated, then a 3×3 convolution: the classic U-Net (Ronneberger et al. 2015).
    ConcatConv,
}

/// How an expansion stage doubles the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upsample {
    /// A transposed 2×2 convolution with stride 2.
    #[default]
    Transposed,
    /// Bilinear, then a 3×3 convolution: no checkerboards (Odena et al. 2016).
    Bilinear,
    /// Every pixel four times, then a 3×3 convolution.
    Nearest,
}

/// What normalises the inner stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InnerNorm {
    /// Nothing; the convolutions before it have a bias instead.
    None,
    /// Batch norm.
    #[default]
    Batch,
}

/// Shape of the U-Net at every level. What is not said otherwise is no part of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnetSettings {
    /// Kind of skip connection.
    pub skip: Skip,
    /// Number of contraction (and expansion) stages; each halves the side.
    pub depth: usize,
    /// Factor on the inner channels (C·2^i·width).
    pub width: f64,
    /// What is done to the features before they enter, in training; the target stays as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input: Corruption,
    /// How expansion stages double the side.
    #[serde(default, skip_serializing_if = "is_default")]
    pub upsample: Upsample,
    /// What normalises the inner stages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub norm: InnerNorm,
    /// What follows it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
    /// What 3×3 convolutions see beyond the border.
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// The teacher's levels that have one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub levels: LevelSet,
    /// Whose features it rebuilds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub placement: Placement,
}

impl Default for UnetSettings {
    /// Those of a sweep file that says nothing of them.
    fn default() -> Self {
        Self {
            skip: Skip::Concat,
            depth: 2,
            width: 1.0,
            input: Corruption::Plain,
            upsample: Upsample::Transposed,
            norm: InnerNorm::Batch,
            activation: Activation::Relu,
            padding: Padding::Zero,
            levels: LevelSet::ALL,
            placement: Placement::Student,
        }
    }
}
