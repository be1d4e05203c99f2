//! The shape of a U-Net, in the table `[model]`.

use crate::model::LevelSet;
use crate::model::autoencoder::{AutoEncoderSettings, CommonSettings, Diagram, DiagramBox};
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
        /// Upsampling in expansion stages, which double the side.
        pub upsample: Upsample = choice(Upsample::Transposed),
        /// Normalisation of the inner stages.
        pub norm: InnerNorm = choice(InnerNorm::Batch),
        /// Activation after the normalisation.
        pub activation: Activation = choice(Activation::Relu),
        /// Padding of 3×3 convolutions.
        pub padding: Padding = choice(Padding::Zero),
        /// Settings that all kinds share.
        pub common: CommonSettings = flat(compared),
    }
}

impl Default for UnetSettings {
    /// Returns the settings of a sweep file that sets none of them.
    fn default() -> Self {
        defaults(LevelSet::ALL)
    }
}

impl UnetSettings {
    /// Returns the channels after `i` contraction stages, for features of `channels` channels.
    pub(super) fn channels_after(&self, i: usize, channels: usize) -> usize {
        match i {
            0 => channels,
            // An even number, so that `concat` can halve it.
            _ => (((channels << i) as f64 * self.common.width / 2.0).round() as usize * 2).max(2),
        }
    }
}

impl AutoEncoderSettings for UnetSettings {
    fn common(&self) -> &CommonSettings {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }

    fn label(&self) -> String {
        format!("U-Net, skip={}", self.skip.name())
    }

    fn cost_class(&self) -> String {
        let Self { skip, depth, upsample, norm, activation, padding, common } = self;
        let CommonSettings { width, levels, placement, .. } = common;
        format!("unet {skip} {depth} {width} {upsample} {norm} {activation} {padding} {levels} {placement}")
    }

    fn halvings(&self) -> usize {
        self.depth
    }

    fn diagram(&self, channels: usize) -> Diagram {
        let last = 2 * self.depth;
        let halvings = |position: usize| self.depth - position.abs_diff(self.depth);
        let boxes = (0..=last).map(|position| {
            let halvings = halvings(position);
            DiagramBox { halvings, channels: self.channels_after(halvings, channels) }
        });
        let skips = match self.skip {
            Skip::None => Vec::new(),
            _ => (0..self.depth).map(|position| (position, last - position)).collect(),
        };
        let caption = match self.skip {
            Skip::None => "no skip connection",
            Skip::Add => "skip: added",
            Skip::Concat => "skip: concatenated, projected to half",
            Skip::ConcatConv => "skip: concatenated, then 3×3",
        };
        Diagram { boxes: boxes.collect(), skips, caption: caption.to_owned() }
    }
}
