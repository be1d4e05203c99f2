//! The shape of a U-Net, in the table `[model]`.

use super::LevelSet;
use super::autoencoder_settings::{Corruption, Placement};
use crate::nn::Padding;
use crate::settings::{choices, defaults, settings};
use crate::tensor::Activation;

choices! {
    /// How a U-Net's contraction stages are joined to its expansion stages.
    pub enum Skip {
        /// No connection: everything passes the bottleneck.
        None = "none",
        /// Add the contraction stage's input.
        Add = "add",
        /// Concatenate after a projection to half the channels, without a convolution afterwards.
        Concat = "concat",
        /// Concatenate, then a 3×3 convolution: the classic U-Net (Ronneberger et al. 2015).
        ConcatConv = "concat-conv",
    }
}

choices! {
    /// How an expansion stage doubles the side.
    pub enum Upsample {
        /// A transposed 2×2 convolution with stride 2.
        Transposed = "transposed",
        /// Bilinear resizing, then a 3×3 convolution: no checkerboards (Odena et al. 2016).
        Bilinear = "bilinear",
        /// Every pixel four times, then a 3×3 convolution.
        Nearest = "nearest",
    }
}

choices! {
    /// What normalises the inner stages.
    pub enum InnerNorm {
        /// Batch norm.
        Batch = "batch",
        /// Nothing; the convolutions before it have a bias instead.
        None = "none",
    }
}

settings! {
    /// Shape of the U-Net at every level.
    pub struct UnetSettings(compared: LevelSet) {
        /// Kind of skip connection.
        pub skip: Skip = choice(Skip::Concat),
        /// Number of contraction (and expansion) stages; each halves the side.
        pub depth: usize = integer(2, 1..=4),
        /// Factor on the inner channels: C·2^i·width in stage i of a U-Net, C/4·width in a linear auto-encoder.
        pub width: f64 = number(1.0, 0.05..=8.0),
        /// Corruption that auto-encoders must undo in training; their target stays as it is.
        pub input: Corruption = with(Corruption::read),
        /// Upsampling in expansion stages, which double the side.
        pub upsample: Upsample = choice(Upsample::Transposed),
        /// Normalisation of the inner stages.
        pub norm: InnerNorm = choice(InnerNorm::Batch),
        /// Activation after the normalisation.
        pub activation: Activation = choice(Activation::Relu),
        /// Padding of 3×3 convolutions.
        pub padding: Padding = choice(Padding::Zero),
        /// Levels that have an auto-encoder; at the others the student is compared with the teacher directly.
        pub levels: LevelSet = with(|field| LevelSet::read_some_of(field, compared)),
        /// Features that the auto-encoders rebuild.
        pub placement: Placement = choice(Placement::Student),
    }
}

impl Default for UnetSettings {
    /// Returns the settings of a sweep file that sets none of them.
    fn default() -> Self {
        defaults(LevelSet::ALL)
    }
}
