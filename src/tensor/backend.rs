//! The operations that the models need, as a trait over where they run.

use dfdx::shapes::HasShape;
use dfdx::tensor::{HasErr, NoneTape, OwnedTape, Storage, Tape, Tensor};

use super::Conv2d;

/// Activations, NHWC: (images, height, width, channels).
pub type Features<B, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, <B as Backend>::Device, T>;
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
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    /// Mean per channel.
    pub mean: Vec<f32>,
    /// Variance per channel, divided by n − 1, as PyTorch's running variance.
    pub variance: Vec<f32>,
}

/// Where and how the operations run. Zero-sized: it only picks implementations.
///
/// Every operation of two tensors merges their tapes. Shapes are checked by debug assertions: the layers above fix them.
pub trait Backend: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    /// dfdx's device.
    type Device: dfdx::tensor_ops::Device<f32> + Default;

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

    /// Batch norm with the batch's own statistics (Ioffe and Szegedy 2015), over N, H and W.
    fn batch_norm_train<T: Tape<f32, Self::Device>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: &Vector<Self>,
        epsilon: f32,
    ) -> OpResult<Self, (Features<Self, T>, BatchStatistics)>;

    /// Batch norm with given statistics; no gradient passes, for it serves frozen and evaluated networks only.
    fn batch_norm_frozen(
        x: Features<Self>,
        weight: &Vector<Self>,
        bias: &Vector<Self>,
        statistics: (&[f32], &[f32]),
        epsilon: f32,
    ) -> OpResult<Self, Features<Self>>;

    /// max(x, 0).
    fn relu<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>>;

    /// 3×3 maximum with stride 2 and padding 1, as ResNet's stem.
    fn max_pool<T: Tape<f32, Self::Device>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>>;

    /// Element-wise sum.
    fn add<T: Tape<f32, Self::Device>>(a: Features<Self, T>, b: Features<Self, T>)
    -> OpResult<Self, Features<Self, T>>;

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

    /// Mean over all elements of (a − b)²; the gradient goes to both.
    fn mean_squared_error<T: Tape<f32, Self::Device>>(
        a: Features<Self, T>,
        b: Features<Self, T>,
    ) -> OpResult<Self, Scalar<Self, T>>;

    /// Σ_c (T^ − S^)² per position: N·H·W values.
    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> Vec<f32>;

    /// Sum of squares of a parameter's gradient, in f64; zero where there is none.
    fn gradient_square_norm(gradients: &mut Gradients<Self>, parameter: &Vector<Self>) -> OpResult<Self, f64>;

    /// Multiplies a parameter's gradient.
    fn scale_gradient(gradients: &mut Gradients<Self>, parameter: &Vector<Self>, factor: f32) -> OpResult<Self, ()>;

    /// Copies a buffer of the device to the host.
    fn buffer_to_host(buffer: &<Self::Device as Storage<f32>>::Vec) -> Vec<f32>;

    /// Overwrites a buffer of the device.
    fn buffer_from_host(buffer: &mut <Self::Device as Storage<f32>>::Vec, values: &[f32]);
}

/// Copies a tensor to the host, row-major.
pub(crate) fn to_host<S: dfdx::shapes::Shape, D: dfdx::tensor_ops::Device<f32>, T>(
    tensor: &Tensor<S, f32, D, T>,
) -> Vec<f32> {
    let mut values = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut values);
    values
}
