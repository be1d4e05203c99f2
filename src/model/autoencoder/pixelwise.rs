//! Two 1×1 convolutions, which the linear auto-encoder and the perceptron share.

use super::FeatureNetwork;
use crate::nn::{Conv, Init, Input, Mode, visit_fields};
use crate::tensor::{Activation, Backend, Conv2d, Features, OpResult, Tape};

/// Returns the inner channels: C/4·width, at least 1.
pub(super) fn inner_channels(channels: usize, width: f64) -> usize {
    ((channels as f64 * width / 4.0).round() as usize).max(1)
}

/// Two 1×1 convolutions with bias, and the activation between them if there is one.
#[derive(Debug, Clone)]
pub struct Pixelwise<B: Backend> {
    encode: Conv<B>,
    activation: Option<Activation>,
    decode: Conv<B>,
}

visit_fields!(Pixelwise: encode, decode);

impl<B: Backend> Pixelwise<B> {
    /// Creates the convolutions for features of `channels` channels. Parameter names start with `name`.
    pub(super) fn new(init: &Init, name: &str, channels: usize, width: f64, activation: Option<Activation>) -> Self {
        let inner = inner_channels(channels, width);
        let conv = |part: &str, input, output| {
            let geometry = Conv2d { input, output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
            Conv::with_bias(init, &format!("{name}.{part}"), geometry)
        };
        Self { encode: conv("encode", channels, inner), activation, decode: conv("decode", inner, channels) }
    }
}

impl<B: Backend> FeatureNetwork<B> for Pixelwise<B> {
    fn forward<T: Tape>(&mut self, features: Features<B, T>, input: Input, _: Mode) -> OpResult<Features<B, T>> {
        self.encode.set_input(input);
        let encoded = self.encode.forward(features)?;
        let inner = match self.activation {
            Some(activation) => B::activate(encoded, activation)?,
            None => encoded,
        };
        self.decode.forward(inner)
    }

    fn multiply_accumulates(&self, side: usize) -> u64 {
        [&self.encode, &self.decode].map(|conv| conv.geometry().multiply_accumulates(side, side)).iter().sum()
    }
}
