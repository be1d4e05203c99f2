//! Convolutions and batch norm with their parameters.

use super::{Buffer, Init, Layout, Module, Padding, Parameter, visit_fields};
use crate::tensor::{Backend, BatchStatistics, Conv2d, Features, Norm, OpResult, Tape, Vector};

/// How a network runs its batch norms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Normalises with the batch's statistics and updates the running statistics.
    Train,
    /// Normalises with the batch's statistics and keeps the running statistics (second pass over the same batch).
    TrainUntracked,
    /// Normalises with the running statistics. No gradient passes.
    Evaluate,
}

/// Where a network's input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Data. No gradient with respect to it is computed.
    Constant,
    /// Another network that is trained together with this one.
    Trained,
}

/// PyTorch's epsilon of batch norm.
const EPSILON: f32 = 1e-5;
/// Weight of a batch in the running statistics, as PyTorch's.
const MOMENTUM: f64 = 0.1;

/// A convolution.
#[derive(Debug, Clone)]
pub struct Conv<B: Backend> {
    geometry: Conv2d,
    padding: Padding,
    weight: Parameter<B>,
    bias: Option<Parameter<B>>,
}

impl<B: Backend> Conv<B> {
    /// Creates a convolution with Kaiming-normal weights and no bias, as in ResNet and before every batch norm.
    pub fn kaiming(init: &Init, name: &str, geometry: Conv2d) -> Self {
        let weight = init.kaiming_normal(format!("{name}.weight"), geometry.output, geometry.input, geometry.kernel);
        Self { geometry, padding: Padding::Zero, weight, bias: None }
    }

    /// Creates a convolution with PyTorch's default weights and a bias.
    pub fn with_bias(init: &Init, name: &str, geometry: Conv2d) -> Self {
        let layout = Layout::Conv { output: geometry.output, input: geometry.input, kernel: geometry.kernel };
        Self {
            geometry,
            padding: Padding::Zero,
            weight: init.uniform(format!("{name}.weight"), layout, geometry.depth()),
            bias: Some(init.uniform(format!("{name}.bias"), Layout::Vector(geometry.output), geometry.depth())),
        }
    }

    /// Returns the same convolution with another padding.
    pub fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Maps (N, H, W, I) to (N, H', W', O).
    pub fn forward<T: Tape>(&self, x: Features<B, T>) -> OpResult<Features<B, T>> {
        let (x, geometry) = self.padding.pad::<B, T>(x, self.geometry)?;
        B::conv2d(x, &self.weight.value, self.bias.as_ref().map(|bias| &bias.value), geometry)
    }

    /// Sets where the input of the next passes comes from.
    pub fn set_input(&mut self, input: Input) {
        self.geometry.input_gradient = input == Input::Trained;
    }

    /// Returns the shape of the convolution.
    pub fn geometry(&self) -> &Conv2d {
        &self.geometry
    }
}

impl<B: Backend> Module<B> for Conv<B> {
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>)) {
        std::iter::once(&self.weight).chain(&self.bias).for_each(visit);
    }
    fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut Parameter<B>)) {
        std::iter::once(&mut self.weight).chain(&mut self.bias).for_each(visit);
    }
    fn buffers(&self, _: &mut dyn FnMut(&Buffer<B>)) {}
    fn buffers_mut(&mut self, _: &mut dyn FnMut(&mut Buffer<B>)) {}
}

/// A transposed 2×2 convolution with stride 2. It doubles the side.
#[derive(Debug, Clone)]
pub struct ConvTranspose<B: Backend> {
    output: usize,
    weight: Parameter<B>,
    bias: Option<Parameter<B>>,
}

impl<B: Backend> ConvTranspose<B> {
    /// Creates the layer with PyTorch's default weights and bias (fan-in of the stored shape: output · 4).
    pub fn new(init: &Init, name: &str, input: usize, output: usize) -> Self {
        let layout = Layout::ConvTranspose { input, output, kernel: 2 };
        Self {
            output,
            weight: init.uniform(format!("{name}.weight"), layout, output * 4),
            bias: Some(init.uniform(format!("{name}.bias"), Layout::Vector(output), output * 4)),
        }
    }

    /// Creates the layer without a bias, as before a batch norm.
    pub fn without_bias(init: &Init, name: &str, input: usize, output: usize) -> Self {
        let layout = Layout::ConvTranspose { input, output, kernel: 2 };
        Self { output, weight: init.uniform(format!("{name}.weight"), layout, output * 4), bias: None }
    }

    /// Maps (N, H, W, I) to (N, 2H, 2W, O).
    pub fn forward<T: Tape>(&self, x: Features<B, T>) -> OpResult<Features<B, T>> {
        B::conv_transpose2x2(x, &self.weight.value, self.bias.as_ref().map(|bias| &bias.value), self.output)
    }

    /// Returns the number of multiply-accumulates for one image of the given input height and width.
    pub fn multiply_accumulates(&self, height: usize, width: usize) -> u64 {
        (height * width * self.weight.layout.len()) as u64
    }
}

impl<B: Backend> Module<B> for ConvTranspose<B> {
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>)) {
        std::iter::once(&self.weight).chain(&self.bias).for_each(visit);
    }
    fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut Parameter<B>)) {
        std::iter::once(&mut self.weight).chain(&mut self.bias).for_each(visit);
    }
    fn buffers(&self, _: &mut dyn FnMut(&Buffer<B>)) {}
    fn buffers_mut(&mut self, _: &mut dyn FnMut(&mut Buffer<B>)) {}
}

/// Batch norm with PyTorch's settings: eps 1e-5, momentum 0.1, unbiased running variance.
#[derive(Debug, Clone)]
pub struct BatchNorm<B: Backend> {
    weight: Parameter<B>,
    bias: Parameter<B>,
    running_mean: Buffer<B>,
    running_variance: Buffer<B>,
}

impl<B: Backend> BatchNorm<B> {
    /// Creates a batch norm with weight 1, bias 0 and the statistics of a standard normal distribution.
    pub fn new(init: &Init, name: &str, channels: usize) -> Self {
        Self {
            weight: init.constant(format!("{name}.weight"), channels, 1.0),
            bias: init.constant(format!("{name}.bias"), channels, 0.0),
            running_mean: Buffer::constant(format!("{name}.running_mean"), channels, 0.0),
            running_variance: Buffer::constant(format!("{name}.running_var"), channels, 1.0),
        }
    }

    /// Normalises each channel, then applies ReLU if `relu`. Training keeps the tape of `x`. In evaluation the batch norm records nothing
    /// on it.
    pub fn forward<T: Tape>(&mut self, x: Features<B, T>, relu: bool, mode: Mode) -> OpResult<Features<B, T>> {
        if mode == Mode::Evaluate {
            let (x, tape) = x.split_tape();
            let y = B::batch_norm_frozen(&x, &self.norm(), self.statistics(), relu)?;
            return Ok(y.put_tape(tape));
        }
        debug_assert!(x.shape().0 * x.shape().1 * x.shape().2 > 1, "statistics need more than one value");
        let (y, batch) = B::batch_norm_train(x, &self.norm(), relu)?;
        self.track(&batch, mode)?;
        Ok(y)
    }

    fn norm(&self) -> Norm<'_, B> {
        Norm { weight: &self.weight.value, bias: &self.bias.value, epsilon: EPSILON }
    }

    fn statistics(&self) -> (&Vector<B>, &Vector<B>) {
        (&self.running_mean.value, &self.running_variance.value)
    }

    fn track(&mut self, batch: &BatchStatistics<B>, mode: Mode) -> OpResult<()> {
        if mode != Mode::Train {
            return Ok(());
        }
        B::track(&mut self.running_mean.value, &batch.mean, MOMENTUM)?;
        B::track(&mut self.running_variance.value, &batch.variance, MOMENTUM)
    }
}

impl<B: Backend> Module<B> for BatchNorm<B> {
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>)) {
        [&self.weight, &self.bias].into_iter().for_each(visit);
    }
    fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut Parameter<B>)) {
        [&mut self.weight, &mut self.bias].into_iter().for_each(visit);
    }
    fn buffers(&self, visit: &mut dyn FnMut(&Buffer<B>)) {
        [&self.running_mean, &self.running_variance].into_iter().for_each(visit);
    }
    fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut Buffer<B>)) {
        [&mut self.running_mean, &mut self.running_variance].into_iter().for_each(visit);
    }
}

/// A convolution and its batch norm, then optionally the sum with a shortcut and ReLU. The backend runs it as one operation.
#[derive(Debug, Clone)]
pub struct ConvNorm<B: Backend> {
    conv: Conv<B>,
    bn: BatchNorm<B>,
}

visit_fields!(ConvNorm: conv, bn);

impl<B: Backend> ConvNorm<B> {
    /// Creates a convolution named `conv` with Kaiming-normal weights, and a new batch norm named `bn`.
    pub fn new(init: &Init, conv: &str, bn: &str, geometry: Conv2d) -> Self {
        Self { conv: Conv::kaiming(init, conv, geometry), bn: BatchNorm::new(init, bn, geometry.output) }
    }

    /// Maps (N, H, W, I) to (N, H', W', O): convolves, normalises, adds the shortcut if given, then applies ReLU if `relu`.
    pub fn forward<T: Tape>(
        &mut self,
        x: Features<B, T>,
        shortcut: Option<Features<B, T>>,
        relu: bool,
        mode: Mode,
    ) -> OpResult<Features<B, T>> {
        let weight = &self.conv.weight.value;
        let (x, geometry) = self.conv.padding.pad::<B, T>(x, self.conv.geometry)?;
        if mode == Mode::Evaluate {
            let (x, tape) = x.split_tape();
            let shortcut = shortcut.map(|shortcut| shortcut.split_tape().0);
            let (norm, statistics) = (self.bn.norm(), self.bn.statistics());
            let y = B::conv_norm_frozen(&x, weight, geometry, &norm, statistics, shortcut.as_ref(), relu)?;
            return Ok(y.put_tape(tape));
        }
        let (y, batch) = B::conv_norm_train(x, weight, geometry, &self.bn.norm(), shortcut, relu)?;
        debug_assert!(y.shape().0 * y.shape().1 * y.shape().2 > 1, "statistics need more than one value");
        self.bn.track(&batch, mode)?;
        Ok(y)
    }

    /// Returns the same layer with another padding of the convolution.
    pub fn padded(self, padding: Padding) -> Self {
        Self { conv: self.conv.padded(padding), ..self }
    }

    /// See [`Conv::set_input`].
    pub fn set_input(&mut self, input: Input) {
        self.conv.set_input(input);
    }

    /// Returns the shape of the convolution.
    pub fn geometry(&self) -> &Conv2d {
        &self.conv.geometry
    }
}

/// A transposed 2×2 convolution with stride 2 and its batch norm, then optionally ReLU. It doubles the side.
#[derive(Debug, Clone)]
pub struct UpNorm<B: Backend> {
    up: ConvTranspose<B>,
    bn: BatchNorm<B>,
}

visit_fields!(UpNorm: up, bn);

impl<B: Backend> UpNorm<B> {
    /// Creates a transposed convolution named `up` without bias, and a new batch norm named `bn`.
    pub fn new(init: &Init, up: &str, bn: &str, input: usize, output: usize) -> Self {
        Self { up: ConvTranspose::without_bias(init, up, input, output), bn: BatchNorm::new(init, bn, output) }
    }

    /// Maps (N, H, W, I) to (N, 2H, 2W, O).
    pub fn forward<T: Tape>(&mut self, x: Features<B, T>, relu: bool, mode: Mode) -> OpResult<Features<B, T>> {
        self.bn.forward(self.up.forward(x)?, relu, mode)
    }

    /// Returns the number of multiply-accumulates for one input of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        self.up.multiply_accumulates(side, side)
    }
}
