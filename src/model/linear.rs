//! The linear auto-encoder of one feature level: each pixel's C channels to C/4·width and back.

use dfdx::tensor::Tape;

use super::LinearSettings;
use crate::nn::{Conv, Init, Input, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult};

/// Two 1×1 convolutions with bias. They keep the shape (N, H, W, C).
#[derive(Debug, Clone)]
pub(super) struct Linear<B: Backend> {
    encode: Conv<B>,
    decode: Conv<B>,
}

visit_fields!(Linear: encode, decode);

impl<B: Backend> Linear<B> {
    /// Creates an auto-encoder for features of `channels` channels. Parameter names start with `name`.
    pub(super) fn new(init: &Init, name: &str, channels: usize, settings: &LinearSettings) -> Self {
        let inner = ((channels as f64 * settings.width / 4.0).round() as usize).max(1);
        let conv = |part: &str, input, output| {
            let geometry = Conv2d { input, output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
            Conv::with_bias(init, &format!("{name}.{part}"), geometry)
        };
        Self { encode: conv("encode", channels, inner), decode: conv("decode", inner, channels) }
    }

    /// Reconstructs features.
    pub(super) fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        features: Features<B, T>,
        input: Input,
    ) -> OpResult<B, Features<B, T>> {
        self.encode.set_input(input);
        self.decode.forward(self.encode.forward(features)?)
    }

    /// Returns the forward multiply-accumulates for one feature map of the given side.
    pub(super) fn multiply_accumulates(&self, side: usize) -> u64 {
        [&self.encode, &self.decode].map(|conv| conv.geometry().multiply_accumulates(side, side)).iter().sum()
    }
}
