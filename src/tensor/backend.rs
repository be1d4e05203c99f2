//! The operations that the models need, as a trait over a device and the kernels on it.

use dfdx::shapes::Shape;
use dfdx::tensor::{Merge, NoneTape, Tape, Tensor};
use dfdx::tensor_ops::Backward;

use super::composed::{self, ComposedDevice};
use super::device::{DeviceMemory, TensorDevice, to_host};
use super::tensors::{self, Buffer, DeviceResult, GradientNorms, Norm};
use super::{Activation, Conv2d, Resampling};

/// Activations, NHWC: (images, height, width, channels).
pub type Features<B, T = NoneTape> = tensors::Features<<B as Backend>::Device, T>;
/// A matrix: (rows, columns).
pub type Rows<B> = tensors::Matrix<<B as Backend>::Device>;
/// One parameter, flat: a convolution's weights as (kernel row, kernel column, input, output).
pub type Vector<B> = tensors::Vector<<B as Backend>::Device>;
/// A loss.
pub type Scalar<B, T = NoneTape> = tensors::Scalar<<B as Backend>::Device, T>;
/// The tape of training.
pub type Recorded<B> = tensors::Recorded<<B as Backend>::Device>;
/// Gradients by tensor. An optimiser also uses it for one buffer per parameter.
pub type Gradients<B> = tensors::Gradients<<B as Backend>::Device>;
/// Result of batch norm in training.
pub type Normalised<B, T> = tensors::Normalised<<B as Backend>::Device, T>;
/// A result with the device's own error.
pub type OpResult<B, V> = DeviceResult<<B as Backend>::Device, V>;

/// A device and the implementation of every operation on it. Backends are zero-sized types that only select implementations.
///
/// Every operation has a default that is composed of dfdx's own operations. A backend overrides the operations that it has kernels for
/// and inherits the rest. Defaults of several steps call the backend's own operations, so that they use its kernels.
///
/// Every operation on two tensors merges their tapes. Debug assertions check the shapes, which the layers above determine.
pub trait Backend: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    /// Device of dfdx.
    type Device: ComposedDevice;

    /// Name of the backend in checkpoints. A checkpoint within a phase is resumed only by the same backend, because the bits of others
    /// differ.
    const KIND: &'static str;

    /// Returns the process's handle of the device.
    fn device() -> Self::Device {
        Self::Device::handle()
    }

    /// Returns the state of the device's own memory, or `None` if the device uses the host's memory.
    fn memory() -> Option<DeviceMemory> {
        Self::Device::memory()
    }

    /// Resets the peak of [`DeviceMemory`] and frees memory that the process holds but does not use.
    fn reset_memory() {
        Self::Device::reset_memory();
    }

    /// Copies values to the device, row-major.
    fn upload<S: Shape>(values: Vec<f32>, shape: S) -> OpResult<Self, Tensor<S, f32, Self::Device>> {
        composed::upload(values, shape)
    }

    /// Copies a tensor to the host, row-major.
    fn download<S: Shape, T>(tensor: &Tensor<S, f32, Self::Device, T>) -> Vec<f32> {
        to_host(tensor)
    }

    /// Returns the value of a loss or a norm.
    fn number<T>(scalar: &Scalar<Self, T>) -> f64 {
        f64::from(Self::download(scalar)[0])
    }

    /// Copies rows of values to the device, where they stay: (rows, columns).
    fn keep(values: &[f32], shape: (usize, usize)) -> OpResult<Self, Rows<Self>> {
        composed::keep(values, shape)
    }

    /// Returns some of the kept rows in this shape, one image per row.
    fn gather(
        rows: &Rows<Self>,
        indices: &[usize],
        shape: (usize, usize, usize, usize),
    ) -> OpResult<Self, Features<Self>> {
        composed::gather(rows, indices, shape)
    }

    /// Copies a buffer of the device to the host.
    fn buffer_to_host(buffer: &Buffer<Self::Device>) -> Vec<f32> {
        Self::Device::read(buffer)
    }

    /// Overwrites a buffer of the device.
    fn buffer_from_host(buffer: &mut Buffer<Self::Device>, values: &[f32]) {
        Self::Device::write(buffer, values);
    }

    /// Computes a 2-D convolution (cross-correlation, as in PyTorch): (N, H, W, I) to (N, H', W', O).
    fn conv2d<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        geometry: Conv2d,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::conv2d(x, weight, bias, geometry)
    }

    /// Computes a transposed 2×2 convolution with stride 2: (N, H, W, I) to (N, 2H, 2W, O).
    ///
    /// `weight` is (I, 2, 2, O), flat.
    fn conv_transpose2x2<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        output: usize,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::conv_transpose2x2(x, weight, bias, output)
    }

    /// Applies batch norm with the batch's own statistics (Ioffe and Szegedy 2015) over N, H and W, then ReLU if `relu`.
    fn batch_norm_train<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        norm: &Norm<'_, Self::Device>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        let (y, statistics) = composed::batch_norm_train(x, norm)?;
        Ok((rectified::<Self, T>(y, relu)?, statistics))
    }

    /// Applies batch norm with given mean and variance, then ReLU if `relu`. No gradient passes: this operation serves only frozen and
    /// evaluated networks.
    fn batch_norm_frozen(
        x: Features<Self>,
        norm: &Norm<'_, Self::Device>,
        statistics: (&Vector<Self>, &Vector<Self>),
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        rectified::<Self, _>(composed::batch_norm_frozen(x, norm, statistics)?, relu)
    }

    /// Applies a convolution, batch norm with the batch's own statistics, the sum with a shortcut if given, and ReLU if `relu`.
    ///
    /// It is one operation, so that a backend need not store intermediate results.
    fn conv_norm_train<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self::Device>,
        shortcut: Option<Features<Self, T>>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        let y = Self::conv2d(x, weight, None, geometry)?;
        let Some(shortcut) = shortcut else { return Self::batch_norm_train(y, norm, relu) };
        let (y, statistics) = Self::batch_norm_train(y, norm, false)?;
        Ok((rectified::<Self, T>(Self::add(y, shortcut)?, relu)?, statistics))
    }

    /// Does the same as [`Backend::conv_norm_train`] with given mean and variance. No gradient passes.
    fn conv_norm_frozen(
        x: Features<Self>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self::Device>,
        statistics: (&Vector<Self>, &Vector<Self>),
        shortcut: Option<Features<Self>>,
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        let y = Self::conv2d(x, weight, None, geometry)?;
        let Some(shortcut) = shortcut else { return Self::batch_norm_frozen(y, norm, statistics, relu) };
        let y = Self::batch_norm_frozen(y, norm, statistics, false)?;
        rectified::<Self, _>(Self::add(y, shortcut)?, relu)
    }

    /// Computes max(x, 0). NaN stays NaN, so that divergence of a network is not hidden.
    fn relu<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        composed::relu(x)
    }

    /// Computes f(x), element by element.
    fn activate<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        activation: Activation,
    ) -> OpResult<Self, Features<Self, T>> {
        match activation {
            Activation::Relu => Self::relu(x),
            Activation::LeakyRelu => composed::leaky_relu(x),
            Activation::Gelu => composed::gelu(x),
        }
    }

    /// Up-samples (N, H, W, C) to (N, 2H, 2W, C), or adds a border around it.
    fn resample<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        map: Resampling,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::resample(x, map)
    }

    /// Computes the 3×3 maximum with stride 2 and padding 1, as in ResNet's stem.
    fn max_pool<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        composed::max_pool(x)
    }

    /// Computes the element-wise sum.
    fn add<T: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, T>,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::add(a, b)
    }

    /// Computes x · factor, element by element. Only `x` receives a gradient.
    fn scale<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        factor: &Features<Self>,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::scale(x, factor)
    }

    /// Concatenates the channels of `a` and the channels of `b`.
    fn concat<T: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, T>,
    ) -> OpResult<Self, Features<Self, T>> {
        composed::concat(a, b)
    }

    /// Computes the mean over all positions of the distance D = ‖t − s‖² (Wang et al. 2021, official code: no ½), with t = T/‖T‖ and s =
    /// S/‖S‖ over the channels of a position.
    ///
    /// Only `student` receives a gradient: ∂D/∂S = 2/‖S‖ · ((s − t) − s·⟨s − t, s⟩).
    fn similarity<T: Tape<f32, Self::Device>>(
        teacher: &Features<Self>,
        student: Features<Self, T>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        composed::similarity(teacher, student)
    }

    /// Computes the mean over all elements of (a − b)². Both sides receive a gradient, or only `a` if `b` has no tape.
    fn mean_squared_error<T: Tape<f32, Self::Device> + Merge<R>, R: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, R>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        composed::mean_squared_error(a, b)
    }

    /// Computes the mean over all elements of the smooth L1 distance (Girshick 2015): ½d² for |d| < 1, else |d| − ½, with d = a − b. Only `a`
    /// receives a gradient.
    fn smooth_l1<T: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: &Features<Self>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        composed::smooth_l1(a, b)
    }

    /// Computes the sum of losses times their weights, from the first to the last.
    fn weighted_sum<T: Tape<f32, Self::Device>>(
        first: (Scalar<Self, T>, f32),
        others: impl IntoIterator<Item = (Scalar<Self, T>, f32)>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        composed::weighted_sum(first, others)
    }

    /// Computes the gradients of a loss with respect to every tensor on its tape.
    fn backward(loss: Scalar<Self, Recorded<Self>>) -> OpResult<Self, Gradients<Self>> {
        loss.try_backward()
    }

    /// Returns the same values with another identity, so that no gradient passes.
    fn detach(features: Features<Self>) -> OpResult<Self, Features<Self>> {
        composed::detach(features)
    }

    /// Computes (a + b)/2, element by element.
    fn average(a: Rows<Self>, b: Rows<Self>) -> OpResult<Self, Rows<Self>> {
        composed::average(a, b)
    }

    /// Moves running statistics towards those of a batch: running·(1 − momentum) + batch·momentum.
    fn track(running: &mut Vector<Self>, batch: &Vector<Self>, momentum: f64) -> OpResult<Self, ()> {
        composed::track(running, batch, momentum)
    }

    /// Computes the distance D of [`Backend::similarity`] at every position: (images, height · width).
    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> OpResult<Self, Rows<Self>> {
        composed::distance_map(teacher, student)
    }

    /// Computes the L2 norms of the gradients over each part of the parameters and over all. If the norm over all exceeds `ceiling` (>
    /// 0), scales the gradients to it.
    ///
    /// See Pascanu et al. 2013. The factor is PyTorch's min(1, ceiling / (norm + 1e-6)). The norms are those before scaling.
    fn clip_gradients(
        gradients: &mut Gradients<Self>,
        parts: &[Vec<Vector<Self>>],
        ceiling: f64,
    ) -> OpResult<Self, GradientNorms<Self::Device>> {
        composed::clip_gradients(gradients, parts, ceiling)
    }
}

/// Applies ReLU if `relu`.
fn rectified<B: Backend, T: Tape<f32, B::Device>>(y: Features<B, T>, relu: bool) -> OpResult<B, Features<B, T>> {
    if relu { B::relu(y) } else { Ok(y) }
}
