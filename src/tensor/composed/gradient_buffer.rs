//! Writes tensors into the buffers of gradients.
//!
//! dfdx gives no access to the data of a tensor, and it cannot create a tensor from a buffer. But it gives access to the buffer of a
//! gradient, and its optimisers update a tensor.
//!
//! With momentum m, weight decay 1, step size 0 and a gradient of zeros, stochastic gradient descent keeps the tensor p and sets the
//! momentum to v = p + m·v. With the buffer of a gradient in place of the momentum, m = 1 adds a tensor to the buffer and m = 0
//! overwrites it.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{Momentum, SgdConfig, WeightDecay};

use super::device::ComposedDevice;
use crate::tensor::tensors::{Buffer, DeviceResult};

/// Sets buffer = tensor + keep · buffer.
fn blend<S: Shape, D: ComposedDevice>(
    buffer: &mut Buffer<D>,
    mut tensor: Tensor<S, f32, D>,
    keep: f64,
) -> DeviceResult<D, ()> {
    let length = tensor.shape().num_elements();
    let config =
        SgdConfig { lr: 0.0, momentum: Some(Momentum::Classic(keep)), weight_decay: Some(WeightDecay::L2(1.0)) };
    D::cache().with_zeros(length, |zeros| config.try_update(&mut tensor, buffer, zeros))
}

/// Adds a tensor to the buffer of a gradient.
pub(super) fn add<S: Shape, D: ComposedDevice>(
    buffer: &mut Buffer<D>,
    tensor: Tensor<S, f32, D>,
) -> DeviceResult<D, ()> {
    blend(buffer, tensor, 1.0)
}

/// Overwrites the buffer of a gradient with a tensor. The old values must be finite.
pub(super) fn overwrite<S: Shape, D: ComposedDevice>(
    buffer: &mut Buffer<D>,
    tensor: Tensor<S, f32, D>,
) -> DeviceResult<D, ()> {
    blend(buffer, tensor, 0.0)
}
