//! Moves values between host and device, and selects rows on the device.

use dfdx::shapes::Shape;
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{GatherTo, ReshapeTo};

use super::device::ComposedDevice;
use crate::tensor::tensors::{DeviceResult, Features, Matrix};

/// See [`crate::tensor::Backend::upload`].
pub(in crate::tensor) fn upload<D: ComposedDevice, S: Shape>(
    values: Vec<f32>,
    shape: S,
) -> DeviceResult<D, Tensor<S, f32, D>> {
    D::handle().try_tensor_from_vec(values, shape)
}

/// See [`crate::tensor::Backend::keep`]. Copies into an existing tensor: a tensor made from a vector would keep the vector.
pub(in crate::tensor) fn keep<D: ComposedDevice>(values: &[f32], shape: (usize, usize)) -> DeviceResult<D, Matrix<D>> {
    let mut rows = D::handle().try_zeros_like(&shape)?;
    D::copy_from(&mut rows, values);
    Ok(rows)
}

/// See [`crate::tensor::Backend::gather`].
pub(in crate::tensor) fn gather<D: ComposedDevice>(
    rows: &Matrix<D>,
    indices: &[usize],
    shape: (usize, usize, usize, usize),
) -> DeviceResult<D, Features<D>> {
    let index = D::handle().try_tensor_from_vec(indices.to_vec(), (indices.len(),))?;
    rows.clone().try_gather(index)?.try_reshape_like(&shape)
}
