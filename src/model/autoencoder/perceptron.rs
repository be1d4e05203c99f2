//! The perceptron of one feature level: each pixel's C channels to C/4·width, a ReLU, and back.

use super::pixelwise::{Pixelwise, inner_channels};
use super::{AutoEncoderSettings, BuildNetwork, CommonSettings, Diagram};
use crate::model::LevelSet;
use crate::nn::Init;
use crate::settings::settings;
use crate::tensor::{Activation, Backend};

settings! {
    /// Two 1×1 convolutions with a ReLU between them: a perceptron with one hidden layer at every pixel.
    ///
    /// The difference to a linear auto-encoder is what non-linearity adds; that to a U-Net is what neighbours and skips add.
    pub struct PerceptronSettings(compared: LevelSet) {
        /// Settings that all kinds share.
        pub common: CommonSettings = flat(compared),
    }
}

impl AutoEncoderSettings for PerceptronSettings {
    fn common(&self) -> &CommonSettings {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }

    fn label(&self) -> String {
        "perceptron".to_owned()
    }

    fn cost_class(&self) -> String {
        let CommonSettings { width, levels, placement, .. } = self.common;
        format!("perceptron {width} {levels} {placement}")
    }

    fn diagram(&self, channels: usize) -> Diagram {
        Diagram::pixelwise(channels, inner_channels(channels, self.common.width), "two 1×1 convolutions, ReLU between")
    }
}

impl BuildNetwork for PerceptronSettings {
    type Network<B: Backend> = Pixelwise<B>;

    fn build<B: Backend>(&self, init: &Init, name: &str, channels: usize) -> Pixelwise<B> {
        Pixelwise::new(init, name, channels, self.common.width, Some(Activation::Relu))
    }
}
