//! What a device provides: buffers, and kernels that read and write them. They know nothing of tapes.

use std::fmt::Debug;

use super::geometry::Nhwc;
use super::{Activation, Conv2d, Convolutions, DeviceMemory, OpResult, Resampling};

/// A sum that kernels add to: the gradient with respect to a tensor. A kernel creates the buffer if there is none yet.
pub type Sum<B> = Option<<B as Kernels>::Buffer>;

/// Values of batch norm's parameters.
pub struct NormBuffers<'a, B: Kernels> {
    /// γ.
    pub weight: &'a B::Buffer,
    /// β.
    pub bias: &'a B::Buffer,
    /// ε.
    pub epsilon: f32,
}

/// A batch norm with given statistics.
pub struct FrozenBuffers<'a, B: Kernels> {
    /// The parameters.
    pub norm: NormBuffers<'a, B>,
    /// Mean per channel.
    pub mean: &'a B::Buffer,
    /// Variance per channel.
    pub variance: &'a B::Buffer,
}

/// A batch after batch norm.
pub struct NormalisedBuffers<B: Kernels> {
    /// The normalised values, after shortcut and ReLU.
    pub y: B::Buffer,
    /// Mean per channel.
    pub mean: B::Buffer,
    /// Variance per channel, divided by n − 1.
    pub variance: B::Buffer,
    /// What the backward pass needs of the forward pass.
    pub normalisation: B::Normalisation,
}

/// Gradients of batch norm.
pub struct NormGradients<B: Kernels> {
    /// Gradient with respect to the values before batch norm.
    pub input: B::Buffer,
    /// Gradient with respect to the shortcut, if asked for.
    pub shortcut: Option<B::Buffer>,
}

/// An update rule with its numbers, which may differ from step to step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateRule {
    /// PyTorch's SGD: v ← momentum·v + g + decay·p, p ← p − rate·v.
    Sgd {
        /// Learning rate.
        rate: f64,
        /// Share of the previous update.
        momentum: f64,
        /// L2 weight decay.
        decay: f64,
    },
    /// Adam (Kingma and Ba 2015).
    Adam {
        /// Learning rate.
        rate: f64,
        /// Decay rate of the first moment.
        beta1: f64,
        /// Weight decay.
        decay: f64,
        /// Whether the decay is apart from the gradient (Loshchilov and Hutter 2019).
        decoupled: bool,
        /// Number of this step, from 1.
        step: i32,
    },
}

impl UpdateRule {
    /// Adam's decay rate of the second moment.
    const BETA2: f32 = 0.999;
    /// Adam's term in the denominator.
    pub(super) const EPSILON: f32 = 1e-8;

    /// Returns Adam's decay rates of the moments, and the factors that correct the moments' start at 0 in a step (from 1).
    pub(super) fn betas(beta1: f64, step: i32) -> ([f32; 2], [f32; 2]) {
        let betas = [beta1 as f32, Self::BETA2];
        (betas, betas.map(|beta| (1.0 - beta.powi(step)).recip()))
    }
}

/// A parameter that an optimiser updates.
pub struct Update<'a, B: Kernels> {
    /// The values.
    pub parameter: &'a mut B::Buffer,
    /// Gradient; `None` stands for zeros.
    pub gradient: Option<B::Buffer>,
    /// Momentum, or Adam's first moment.
    pub first: &'a mut B::Buffer,
    /// Adam's second moment.
    pub second: Option<&'a mut B::Buffer>,
}

/// A device and its kernels. Implementations are zero-sized types that only select.
///
/// Every kernel returns a new buffer or adds to a [`Sum`]. Shapes are those of the operations of [`super::Backend`], which documents the
/// formulas.
pub trait Kernels: Copy + Default + Debug + Send + Sync + 'static {
    /// Values of a tensor or of a gradient.
    type Buffer: Debug + Send + Sync + 'static;
    /// What the backward pass of batch norm needs.
    type Normalisation: Send + Sync + 'static;
    /// Which input won each maximum of max pooling.
    type Winners: Send + Sync + 'static;

    /// Name of the kind of device in checkpoints. A checkpoint within a phase is resumed only on the same kind, because the bits of
    /// others differ.
    const KIND: &'static str;

    /// Returns the state of the device's own memory, or `None` if the device uses the host's memory.
    fn memory() -> Option<DeviceMemory> {
        None
    }

    /// Returns who computes convolutions in this process, as attempts and checkpoints record it. A checkpoint within a phase is resumed
    /// only by the same, because the bits of others differ.
    fn convolutions() -> String {
        Convolutions::Own.name().to_owned()
    }

    /// Resets the peak of [`DeviceMemory`] and frees memory that the process holds but does not use.
    fn reset_memory();

    /// Starts all work that waits to be started. A device may collect work until then, or until a value is read.
    fn submit() -> OpResult<()> {
        Ok(())
    }

    /// Copies values to the device.
    fn upload_buffer(values: Vec<f32>) -> OpResult<Self::Buffer>;

    /// Copies values to the device, where they stay for many steps.
    fn keep_buffer(values: &[f32]) -> OpResult<Self::Buffer> {
        Self::upload_buffer(values.to_vec())
    }

    /// Copies a buffer to the host.
    fn download_buffer(buffer: &Self::Buffer) -> OpResult<Vec<f32>>;

    /// Overwrites a buffer with as many values.
    fn overwrite_buffer(buffer: &mut Self::Buffer, values: &[f32]) -> OpResult<()>;

    /// Creates a buffer of equal values.
    fn filled(value: f32, count: usize) -> OpResult<Self::Buffer>;

    /// Copies a buffer.
    fn copied(buffer: &Self::Buffer) -> OpResult<Self::Buffer>;

    /// Returns some of the rows of `columns` values.
    fn gathered(rows: &Self::Buffer, indices: &[usize], columns: usize) -> OpResult<Self::Buffer>;

    /// Convolves, and adds `bias` to each channel.
    fn convolved(
        x: &Self::Buffer,
        shape: Nhwc,
        weight: &Self::Buffer,
        bias: Option<&Self::Buffer>,
        conv: &Conv2d,
    ) -> OpResult<Self::Buffer>;

    /// Convolves and applies batch norm with given mean and variance, the sum with a shortcut, and ReLU if `relu`.
    fn convolved_frozen(
        x: &Self::Buffer,
        shape: Nhwc,
        weight: &Self::Buffer,
        conv: &Conv2d,
        norm: &FrozenBuffers<'_, Self>,
        shortcut: Option<&Self::Buffer>,
        relu: bool,
    ) -> OpResult<Self::Buffer>;

    /// Convolves and normalises. Returns the convolution's output and the normalised values.
    fn convolved_normalised(
        x: &Self::Buffer,
        shape: Nhwc,
        weight: &Self::Buffer,
        conv: &Conv2d,
        norm: &NormBuffers<'_, Self>,
        shortcut: Option<&Self::Buffer>,
        relu: bool,
    ) -> OpResult<(Self::Buffer, NormalisedBuffers<Self>)> {
        let z = Self::convolved(x, shape, weight, None, conv)?;
        let normalised = Self::normalised(&z, conv.output, norm, shortcut, relu)?;
        Ok((z, normalised))
    }

    /// Adds the gradient with respect to a convolution's input.
    fn convolution_input_gradient(
        dy: &Self::Buffer,
        weight: &Self::Buffer,
        shape: Nhwc,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Adds the gradient with respect to a convolution's weights.
    fn convolution_weight_gradient(
        x: &Self::Buffer,
        shape: Nhwc,
        dy: &Self::Buffer,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Adds the sums over all pixels: the gradient with respect to a bias.
    fn add_channel_sums(dy: &Self::Buffer, channels: usize, sum: &mut Sum<Self>) -> OpResult<()>;

    /// Moves the 4·C channels of every pixel to a block of 2×2 pixels and adds `bias`: (N, H, W, 4·C) to (N, 2H, 2W, C). `shape` is (N, H,
    /// W, C).
    fn image_of_blocks(blocks: Self::Buffer, shape: Nhwc, bias: Option<&Self::Buffer>) -> OpResult<Self::Buffer>;

    /// The inverse of [`Kernels::image_of_blocks`] without a bias.
    fn blocks_of_image(image: &Self::Buffer, shape: Nhwc) -> OpResult<Self::Buffer>;

    /// Applies batch norm with the batch's own statistics, the sum with a shortcut, and ReLU if `relu`. Channels are the last axis.
    fn normalised(
        z: &Self::Buffer,
        channels: usize,
        norm: &NormBuffers<'_, Self>,
        shortcut: Option<&Self::Buffer>,
        relu: bool,
    ) -> OpResult<NormalisedBuffers<Self>>;

    /// Applies batch norm with given mean and variance, then ReLU if `relu`.
    fn normalised_frozen(
        x: &Self::Buffer,
        channels: usize,
        norm: &FrozenBuffers<'_, Self>,
        relu: bool,
    ) -> OpResult<Self::Buffer>;

    /// Computes the gradients of [`Kernels::normalised`] and adds to those of γ and β. `y` is the result if it went through ReLU.
    fn normalisation_gradients(
        normalisation: &Self::Normalisation,
        dy: Self::Buffer,
        z: &Self::Buffer,
        y: Option<&Self::Buffer>,
        with_shortcut: bool,
        weight_sum: &mut Sum<Self>,
        bias_sum: &mut Sum<Self>,
    ) -> OpResult<NormGradients<Self>>;

    /// Moves running statistics towards those of a batch: running·(1 − momentum) + batch·momentum.
    fn move_towards(running: &mut Self::Buffer, batch: &Self::Buffer, momentum: f64) -> OpResult<()>;

    /// Computes f(x), element by element.
    fn activated(x: &Self::Buffer, activation: Activation) -> OpResult<Self::Buffer>;

    /// Adds dy · f′. `saved` is f(x) if [`Activation::saves_output`], else x.
    fn activation_gradient(
        dy: Self::Buffer,
        saved: &Self::Buffer,
        activation: Activation,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Computes a + b.
    fn added(a: &Self::Buffer, b: &Self::Buffer) -> OpResult<Self::Buffer>;

    /// Computes (a + b)/2.
    fn averaged(a: &Self::Buffer, b: &Self::Buffer) -> OpResult<Self::Buffer>;

    /// Adds factor · x.
    fn add_scaled(factor: f32, x: &Self::Buffer, sum: &mut Sum<Self>) -> OpResult<()>;

    /// Adds a · b, element by element.
    fn add_product(a: &Self::Buffer, b: &Self::Buffer, sum: &mut Sum<Self>) -> OpResult<()>;

    /// Concatenates the channels of `a` and `b`, which have so many each.
    fn concatenated(a: &Self::Buffer, b: &Self::Buffer, channels: (usize, usize)) -> OpResult<Self::Buffer>;

    /// Adds `channels` of the `all` channels of dy, from `offset` on.
    fn add_channels(dy: &Self::Buffer, all: usize, offset: usize, channels: usize, sum: &mut Sum<Self>)
    -> OpResult<()>;

    /// Resamples images of the given shape.
    fn resampled(x: &Self::Buffer, shape: Nhwc, map: Resampling) -> OpResult<Self::Buffer>;

    /// Adds the transpose of [`Kernels::resampled`]; `shape` is that of its input.
    fn resampling_gradient(dy: &Self::Buffer, shape: Nhwc, map: Resampling, sum: &mut Sum<Self>) -> OpResult<()>;

    /// Computes the maxima, and which inputs won if `with_winners`.
    fn max_pooled(x: &Self::Buffer, shape: Nhwc, with_winners: bool) -> OpResult<(Self::Buffer, Self::Winners)>;

    /// Adds the gradient of each maximum to the input that won.
    fn max_pooling_gradient(
        dy: &Self::Buffer,
        winners: &Self::Winners,
        shape: Nhwc,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Computes ‖t − s‖² of every pixel, with t and s as unit vectors.
    fn distances(teacher: &Self::Buffer, student: &Self::Buffer, channels: usize) -> OpResult<Self::Buffer>;

    /// Computes the mean of [`Kernels::distances`].
    fn mean_distance(teacher: &Self::Buffer, student: &Self::Buffer, channels: usize) -> OpResult<Self::Buffer>;

    /// Adds the gradient of [`Kernels::mean_distance`] with respect to the student's features.
    fn mean_distance_gradient(
        dloss: &Self::Buffer,
        teacher: &Self::Buffer,
        student: &Self::Buffer,
        channels: usize,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Computes the mean over all elements of (a − b)².
    fn squared_error(a: &Self::Buffer, b: &Self::Buffer) -> OpResult<Self::Buffer>;

    /// Adds sign · 2/n · dloss · (a − b).
    fn squared_error_gradient(
        dloss: &Self::Buffer,
        a: &Self::Buffer,
        b: &Self::Buffer,
        sign: f32,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Computes the mean over all elements of the smooth L1 distance.
    fn smooth_l1_error(a: &Self::Buffer, b: &Self::Buffer) -> OpResult<Self::Buffer>;

    /// Adds the gradient of [`Kernels::smooth_l1_error`] with respect to `a`.
    fn smooth_l1_gradient(
        dloss: &Self::Buffer,
        a: &Self::Buffer,
        b: &Self::Buffer,
        sum: &mut Sum<Self>,
    ) -> OpResult<()>;

    /// Computes the sum of scalars times their weights, from the first to the last.
    fn weighted_scalars(terms: &[(&Self::Buffer, f32)]) -> OpResult<Self::Buffer>;

    /// Computes the L2 norms of the gradients, over all and over each part. Scales the gradients if the norm over all exceeds `ceiling` > 0.
    fn clipped(parts: &mut [Vec<&mut Self::Buffer>], ceiling: f64) -> OpResult<(Self::Buffer, Vec<Self::Buffer>)>;

    /// Updates parameters and moments.
    fn update(rule: UpdateRule, updates: Vec<Update<'_, Self>>) -> OpResult<()>;
}
