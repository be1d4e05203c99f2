//! A contraction stage of a U-Net.

use super::{InnerNorm, UnetSettings};
use crate::nn::{Conv, ConvNorm, Init, Input, Mode, Module, delegate_module};
use crate::tensor::{Activation, Backend, Conv2d, Features, OpResult, Tape};

/// A 3×3 convolution with stride 2, either with batch norm or with a bias.
#[derive(Debug, Clone)]
enum Layer<B: Backend> {
    Normed(Box<ConvNorm<B>>),
    Plain(Box<Conv<B>>),
}

/// A contraction stage. It halves the side and applies the activation.
#[derive(Debug, Clone)]
pub(super) struct Contraction<B: Backend> {
    layer: Layer<B>,
    activation: Activation,
}

impl<B: Backend> Contraction<B> {
    /// Creates a stage from `input` to `output` channels. Parameter names start with `name`.
    pub(super) fn new(init: &Init, name: &str, input: usize, output: usize, settings: &UnetSettings) -> Self {
        let geometry = Conv2d { input, output, kernel: 3, stride: 2, padding: 1, input_gradient: true };
        let conv = format!("{name}.conv");
        let layer = match settings.norm {
            InnerNorm::Batch => {
                let layer = ConvNorm::new(init, &conv, &format!("{name}.bn"), geometry);
                Layer::Normed(Box::new(layer.padded(settings.padding)))
            }
            InnerNorm::None => Layer::Plain(Box::new(Conv::with_bias(init, &conv, geometry).padded(settings.padding))),
        };
        Self { layer, activation: settings.activation }
    }

    /// Maps (N, H, W, I) to (N, H/2, W/2, O).
    pub(super) fn forward<T: Tape>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<Features<B, T>> {
        match &mut self.layer {
            // The backend runs this as one operation.
            Layer::Normed(layer) if self.activation == Activation::Relu => layer.forward(x, None, true, mode),
            Layer::Normed(layer) => B::activate(layer.forward(x, None, false, mode)?, self.activation),
            Layer::Plain(layer) => B::activate(layer.forward(x)?, self.activation),
        }
    }

    /// See [`Conv::set_input`].
    pub(super) fn set_input(&mut self, input: Input) {
        match &mut self.layer {
            Layer::Normed(layer) => layer.set_input(input),
            Layer::Plain(layer) => layer.set_input(input),
        }
    }

    /// Returns the shape of the convolution.
    pub(super) fn geometry(&self) -> &Conv2d {
        match &self.layer {
            Layer::Normed(layer) => layer.geometry(),
            Layer::Plain(layer) => layer.geometry(),
        }
    }

    fn module(&self) -> &dyn Module<B> {
        match &self.layer {
            Layer::Normed(layer) => layer.as_ref(),
            Layer::Plain(layer) => layer.as_ref(),
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<B> {
        match &mut self.layer {
            Layer::Normed(layer) => layer.as_mut(),
            Layer::Plain(layer) => layer.as_mut(),
        }
    }
}

delegate_module!(Contraction: module, module_mut);
