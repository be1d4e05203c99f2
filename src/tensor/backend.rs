//! The operations that the models need, as a trait over where they run.

use dfdx::shapes::HasShape;
use dfdx::tensor::{HasErr, Merge, NoneTape, OwnedTape, Storage, Tape, Tensor};

use super::{Activation, Conv2d, Resampling};

/// Activations, NHWC: (images, height, width, channels).
pub type Features<B, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, <B as Backend>::Device, T>;
/// A matrix: (rows, columns).
pub type Rows<B> = Tensor<(usize, usize), f32, <B as Backend>::Device>;
/// One parameter, flat: a convolution's weights as (kernel row, kernel column, input, output).
pub type Vector<B> = Tensor<(usize,), f32, <B as Backend>::Device>;
/// A loss.
pub type Scalar<B, T = NoneTape> = Tensor<(), f32, <B as Backend>::Device, T>;
/// The tape of training.
pub type Recorded<B> = OwnedTape<f32, <B as Backend>::Device>;
/// Gradients by tensor; also a place to keep one buffer per parameter.
pub type Gradients<B> = dfdx::tensor::Gradients<f32, <B as Backend>::Device>;
/// A result with the device's own error.
pub type OpResult<B, V> = Result<V, <<B as Backend>::Device as HasErr>::Err>;

/// Mean and unbiased variance per channel of one batch, for the running statistics.
#[derive(Debug, Clone)]
pub struct BatchStatistics<B: Backend> {
    /// Mean per channel.
    pub mean: Vector<B>,
    /// Variance per channel, divided by n − 1, as PyTorch's running variance.
    pub variance: Vector<B>,
}

/// Where and how the operations run. Zero-sized: it only picks implementations.
///
/// Every operation of two tensors merges their tapes. Shapes are checked by debug assertions: the layers above fix them.
pub trait Backend: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    /// dfdx's device.
    type Device: dfdx::tensor_ops::Device<f32>;

    /// The kind of device: a checkpoint within a phase is resumed on its own kind alone.
    const KIND: &'static str;

    /// The device of this process.
    fn device() -> Self::Device;

    /// What is known of the device's own memory; none where it is the host's.
    fn memory() -> Option<DeviceMemory> {
        None
    }

    /// Starts to look for the peak of [`DeviceMemory`] anew, and gives back what the process holds without need.
    fn reset_memory() {}

    /// 2-D convolution (cross-correlation, as PyTorch's): (N, H, W, I) to (N, H', W', O).
    fn conv2d<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        geometry: Conv2d,
    ) -> OpResult<Self, Features<Self, T>>;

    /// Transposed 2×2 convolution with stride 2: (N, H, W, I) to (N, 2H, 2W, O).
    ///
    /// `weight` is (I, 2, 2, O), flat.
    fn conv_transpose2x2<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        output: usize,
    ) -> OpResult<Self, Features<Self, T>>;

    /// Batch norm with the batch's own statistics (Ioffe and Szegedy 2015), over N, H and W; then ReLU where asked.
    fn batch_norm_train<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        norm: &Norm<'_, Self>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>>;

    /// Batch norm with given mean and variance, then ReLU where asked; no gradient passes, for it serves frozen and evaluated networks only.
    fn batch_norm_frozen(
        x: Features<Self>,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        relu: bool,
    ) -> OpResult<Self, Features<Self>>;

    /// Convolution, batch norm with the batch's own statistics, the shortcut's sum where there is one, ReLU where asked.
    ///
    /// One operation, so that a backend need not write out what lies between.
    fn conv_norm_train<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        shortcut: Option<Features<Self, T>>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        let y = Self::conv2d(x, weight, None, geometry)?;
        let Some(shortcut) = shortcut else { return Self::batch_norm_train(y, norm, relu) };
        let (y, statistics) = Self::batch_norm_train(y, norm, false)?;
        Ok((rectified::<Self, T>(Self::add(y, shortcut)?, relu)?, statistics))
    }

    /// The same with given mean and variance; no gradient passes.
    fn conv_norm_frozen(
        x: Features<Self>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        shortcut: Option<Features<Self>>,
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        let y = Self::conv2d(x, weight, None, geometry)?;
        let Some(shortcut) = shortcut else { return Self::batch_norm_frozen(y, norm, statistics, relu) };
        let y = Self::batch_norm_frozen(y, norm, statistics, false)?;
        rectified::<Self, _>(Self::add(y, shortcut)?, relu)
    }

    /// max(x, 0).
    fn relu<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>>;

    /// f(x), element by element.
    fn activate<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        activation: Activation,
    ) -> OpResult<Self, Features<Self, T>>;

    /// (N, H, W, C) up-sampled to (N, 2H, 2W, C), or with a border around it.
    fn resample<T: Tape<f32, Self::Device>>(x: Features<Self, T>, map: Resampling)
    -> OpResult<Self, Features<Self, T>>;

    /// 3×3 maximum with stride 2 and padding 1, as ResNet's stem.
    fn max_pool<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>>;

    /// Element-wise sum.
    fn add<T: Tape<f32, Self::Device>>(a: Features<Self, T>, b: Features<Self, T>)
    -> OpResult<Self, Features<Self, T>>;

    /// x · factor, element by element; the gradient goes to `x` alone.
    fn scale<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        factor: &Features<Self>,
    ) -> OpResult<Self, Features<Self, T>>;

    /// Channels of `a`, then channels of `b`.
    fn concat<T: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, T>,
    ) -> OpResult<Self, Features<Self, T>>;

    /// mean_{n,h,w} Σ_c (T^ − S^)², ^ = divided by the channel's L2 norm (Wang et al. 2021, official code: no ½).
    ///
    /// The gradient goes to `student` alone.
    fn similarity<T: Tape<f32, Self::Device>>(
        teacher: &Features<Self>,
        student: Features<Self, T>,
    ) -> OpResult<Self, Scalar<Self, T>>;

    /// Mean over all elements of (a − b)²; the gradient goes to both, or to `a` alone where `b` has no tape.
    fn mean_squared_error<T: Tape<f32, Self::Device> + Merge<R>, R: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, R>,
    ) -> OpResult<Self, Scalar<Self, T>>;

    /// Σ_c (T^ − S^)² per position: N·H·W values.
    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> OpResult<Self, Vec<f32>>;

    /// L2 norms of the parameters' gradients, of each part and of all; where that of all exceeds `ceiling` (> 0), all are scaled to it.
    ///
    /// Pascanu et al. 2013; the factor is PyTorch's ceiling / (norm + 1e-6). The norms are those before.
    fn clip_gradients(
        gradients: &mut Gradients<Self>,
        parts: &[Vec<Vector<Self>>],
        ceiling: f64,
    ) -> OpResult<Self, GradientNorms<Self>>;

    /// Copies a buffer of the device to the host.
    fn buffer_to_host(buffer: &<Self::Device as Storage<f32>>::Vec) -> Vec<f32>;

    /// Overwrites a buffer of the device.
    fn buffer_from_host(buffer: &mut <Self::Device as Storage<f32>>::Vec, values: &[f32]);
}

/// The parameters of a batch norm.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a, B: Backend> {
    /// γ.
    pub weight: &'a Vector<B>,
    /// β.
    pub bias: &'a Vector<B>,
    /// ε.
    pub epsilon: f32,
}

/// L2 norms of gradients.
#[derive(Debug, Clone)]
pub struct GradientNorms<B: Backend> {
    /// Of all parameters.
    pub all: Scalar<B>,
    /// Of each part's.
    pub parts: Vec<Scalar<B>>,
}

/// What batch norm passes on in training.
pub type Normalised<B, T> = (Features<B, T>, BatchStatistics<B>);

/// ReLU where asked.
pub(super) fn rectified<B: Backend, T: Tape<f32, B::Device>>(
    y: Features<B, T>,
    relu: bool,
) -> OpResult<B, Features<B, T>> {
    if relu { B::relu(y) } else { Ok(y) }
}

/// What a device has of memory, and what this process has taken, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Nobody's.
    pub free: u64,
    /// The device's.
    pub total: u64,
    /// The most that this process had in use since [`Backend::reset_memory`].
    pub peak: u64,
}

/// Copies a tensor to the host, row-major.
pub(crate) fn to_host<S: dfdx::shapes::Shape, D: dfdx::tensor_ops::Device<f32>, T>(
    tensor: &Tensor<S, f32, D, T>,
) -> Vec<f32> {
    let mut values = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut values);
    values
}
