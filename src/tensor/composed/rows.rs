//! Rows of channels: gathers by patterns, and arithmetic with one value per column or row.

use dfdx::shapes::{Axes2, Axes3, Axis, HasShape};
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, GatherTo, ReshapeTo, SumTo, TryAdd, TryMul, TrySub};

use super::device::ComposedDevice;
use super::pattern::Pattern;
use crate::tensor::tensors::{DeviceResult, Features, Matrix, Scalar, Vector};

/// (images, rows, channels).
pub(super) type Images<D> = Tensor<(usize, usize, usize), f32, D>;

/// Returns each image as a matrix of its pixels.
pub(super) fn images<D: ComposedDevice>(x: Features<D>) -> DeviceResult<D, Images<D>> {
    let (images, height, width, channels) = *x.shape();
    x.try_reshape_like(&(images, height * width, channels))
}

/// Returns all pixels of all images as one matrix.
pub(super) fn pixels<D: ComposedDevice>(x: Features<D>) -> DeviceResult<D, Matrix<D>> {
    let (images, height, width, channels) = *x.shape();
    x.try_reshape_like(&(images * height * width, channels))
}

/// Returns the rows of each image in the order of a pattern. Rows outside the source contain `fill` in every channel.
pub(super) fn gather<D: ComposedDevice>(x: Images<D>, pattern: Pattern, fill: f32) -> DeviceResult<D, Images<D>> {
    let (images, _, channels) = *x.shape();
    let gather = D::cache().gather(pattern)?;
    let rows = gather.index.shape().0;
    let index = gather.index.clone().try_broadcast_like::<_, Axis<0>>(&(images, rows))?;
    let picked: Images<D> = x.try_gather(index)?;
    let Some(inside) = &gather.inside else { return Ok(picked) };
    let shape = (images, rows, channels);
    let inside = inside.clone().try_broadcast_like::<_, Axes2<0, 2>>(&shape)?;
    let fill = scalar::<D>(fill)?.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape)?;
    inside.try_choose(picked, fill)
}

/// Returns one value as a tensor on the device.
pub(super) fn scalar<D: ComposedDevice>(value: f32) -> DeviceResult<D, Scalar<D>> {
    D::handle().try_tensor_from_vec(vec![value], ())
}

/// Returns the sum of every column.
pub(super) fn column_sums<D: ComposedDevice>(x: Matrix<D>) -> DeviceResult<D, Vector<D>> {
    x.try_sum::<(usize,), Axis<0>>()
}

/// Returns the sum of every row.
pub(super) fn row_sums<D: ComposedDevice>(x: Matrix<D>) -> DeviceResult<D, Vector<D>> {
    x.try_sum::<(usize,), Axis<1>>()
}

/// Returns the sum of all elements. Sums the rows first, because one long chain of 32-bit sums loses digits.
pub(super) fn total<D: ComposedDevice>(x: Matrix<D>) -> DeviceResult<D, Scalar<D>> {
    row_sums(x)?.try_sum()
}

/// Returns x + values, one value per column.
pub(super) fn add_columns<D: ComposedDevice>(x: Matrix<D>, values: Vector<D>) -> DeviceResult<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_add(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// Returns x − values, one value per column.
pub(super) fn subtract_columns<D: ComposedDevice>(x: Matrix<D>, values: Vector<D>) -> DeviceResult<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_sub(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// Returns x · values, one value per column.
pub(super) fn scale_columns<D: ComposedDevice>(x: Matrix<D>, values: Vector<D>) -> DeviceResult<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_mul(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// Returns x · values, one value per row.
pub(super) fn scale_rows<D: ComposedDevice>(x: Matrix<D>, values: Vector<D>) -> DeviceResult<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_mul(values.try_broadcast_like::<_, Axis<1>>(&shape)?)
}
