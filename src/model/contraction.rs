//! A contraction stage of a U-Net.

use dfdx::tensor::Tape;

use super::{InnerNorm, UnetSettings};
use crate::nn::{Conv, ConvNorm, Init, Input, Mode, Module, delegate_module};
use crate::tensor::{Activation, Backend, Conv2d, Features, OpResult};

/// A 3×3 convolution with stride 2 and batch norm, or with a bias.
#[derive(Debug, Clone)]
enum Halving<B: Backend> {
    Normed(Box<ConvNorm<B>>),
    Plain(Box<Conv<B>>),
}

/// A contraction stage: half the side, activated.
#[derive(Debug, Clone)]
pub(super) struct Contraction<B: Backend> {
    layer: Halving<B>,
    activation: Activation,
}

impl<B: Backend> Contraction<B> {
    /// From `input` to `output` channels; names start with `name`.
    pub(super) fn new(init: &Init, name: &str, input: usize, output: usize, settings: &UnetSettings) -> Self {
        let geometry = Conv2d { input, output, kernel: 3, stride: 2, padding: 1, input_gradient: true };
        let conv = format!("{name}.conv");
        let layer = match settings.norm {
            InnerNorm::Batch => {
                let layer = ConvNorm::new(init, &conv, &format!("{name}.bn"), geometry);
                Halving::Normed(Box::new(layer.padded(settings.padding)))
            }
            InnerNorm::None => {
                Halving::Plain(Box::new(Conv::with_bias(init, &conv, geometry).padded(settings.padding)))
            }
        };
        Self { layer, activation: settings.activation }
    }

    /// (N, H, W, I) to (N, H/2, W/2, O).
    pub(super) fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        x: Features<B, T>,
        mode: Mode,
    ) -> OpResult<B, Features<B, T>> {
        match &mut self.layer {
            // One operation of the backend.
            Halving::Normed(layer) if self.activation == Activation::Relu => layer.forward(x, None, true, mode),
            Halving::Normed(layer) => B::activate(layer.forward(x, None, false, mode)?, self.activation),
            Halving::Plain(layer) => B::activate(layer.forward(x)?, self.activation),
        }
    }

    /// See [`Conv::expect`].
    pub(super) fn expect(&mut self, input: Input) {
        match &mut self.layer {
            Halving::Normed(layer) => layer.expect(input),
            Halving::Plain(layer) => layer.expect(input),
        }
    }

    /// The convolution's shape.
    pub(super) fn geometry(&self) -> &Conv2d {
        match &self.layer {
            Halving::Normed(layer) => layer.geometry(),
            Halving::Plain(layer) => layer.geometry(),
        }
    }

    fn module(&self) -> &dyn Module<B> {
        match &self.layer {
            Halving::Normed(layer) => layer.as_ref(),
            Halving::Plain(layer) => layer.as_ref(),
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<B> {
        match &mut self.layer {
            Halving::Normed(layer) => layer.as_mut(),
            Halving::Plain(layer) => layer.as_mut(),
        }
    }
}

delegate_module!(Contraction: module, module_mut);
