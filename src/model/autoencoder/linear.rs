//! The linear auto-encoder of one feature level: each pixel's C channels to C/4·width and back.

use super::pixelwise::{Pixelwise, inner_channels};
use super::{AutoEncoderSettings, BuildNetwork, CommonSettings, Diagram};
use crate::model::LevelSet;
use crate::nn::Init;
use crate::settings::{defaults, settings};
use crate::tensor::Backend;

settings! {
    /// Two 1×1 convolutions, to few channels and back: they keep each pixel's features in a linear subspace.
    ///
    /// This cheap control shows what the neighbourhoods, skips and non-linearities of U-Nets add.
    pub struct LinearSettings(compared: LevelSet) {
        /// Settings that all kinds share.
        pub common: CommonSettings = flat(compared),
    }
}

impl Default for LinearSettings {
    fn default() -> Self {
        defaults(LevelSet::ALL)
    }
}

impl AutoEncoderSettings for LinearSettings {
    fn common(&self) -> &CommonSettings {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }

    fn label(&self) -> String {
        "linear auto-encoder".to_owned()
    }

    fn cost_class(&self) -> String {
        let CommonSettings { width, levels, placement, .. } = self.common;
        format!("linear {width} {levels} {placement}")
    }

    fn diagram(&self, channels: usize) -> Diagram {
        Diagram::pixelwise(channels, inner_channels(channels, self.common.width), "two 1×1 convolutions")
    }
}

impl BuildNetwork for LinearSettings {
    type Network<B: Backend> = Pixelwise<B>;

    fn build<B: Backend>(&self, init: &Init, name: &str, channels: usize) -> Pixelwise<B> {
        Pixelwise::new(init, name, channels, self.common.width, None)
    }
}
