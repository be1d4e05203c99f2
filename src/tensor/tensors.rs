//! Types of tensors, and the small structures of tensors that operations take and return.
//!
//! Everything here depends only on the device, so that all backends of a device share it.

use dfdx::tensor::{HasErr, NoneTape, OwnedTape, Storage, Tensor};

/// Activations, NHWC: (images, height, width, channels).
pub type Features<D, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, D, T>;
/// A matrix: (rows, columns).
pub type Matrix<D> = Tensor<(usize, usize), f32, D>;
/// One parameter, flat, or one value per row or column of a matrix.
pub type Vector<D> = Tensor<(usize,), f32, D>;
/// A loss or a norm.
pub type Scalar<D, T = NoneTape> = Tensor<(), f32, D, T>;
/// The tape of training.
pub type Recorded<D> = OwnedTape<f32, D>;
/// Gradients by tensor.
pub type Gradients<D> = dfdx::tensor::Gradients<f32, D>;
/// Values of a tensor or of a gradient on its device.
pub type Buffer<D> = <D as Storage<f32>>::Vec;
/// A result with the device's own error.
pub type DeviceResult<D, V> = Result<V, <D as HasErr>::Err>;

/// The parameters of a batch norm.
#[derive(Debug)]
pub struct Norm<'a, D: Storage<f32>> {
    /// γ.
    pub weight: &'a Vector<D>,
    /// β.
    pub bias: &'a Vector<D>,
    /// ε.
    pub epsilon: f32,
}

/// Mean and unbiased variance of one batch per channel, for the running statistics.
#[derive(Debug, Clone)]
pub struct BatchStatistics<D: Storage<f32>> {
    /// Mean per channel.
    pub mean: Vector<D>,
    /// Variance per channel, divided by n − 1 as in PyTorch's running variance.
    pub variance: Vector<D>,
}

/// Result of batch norm in training.
pub type Normalised<D, T> = (Features<D, T>, BatchStatistics<D>);

/// L2 norms of gradients.
#[derive(Debug, Clone)]
pub struct GradientNorms<D: Storage<f32>> {
    /// The norm over all parameters.
    pub all: Scalar<D>,
    /// The norm over each part of the parameters.
    pub parts: Vec<Scalar<D>>,
}
