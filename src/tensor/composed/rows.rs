//! Rows of channels: moving them by patterns, and arithmetic with a value a column or a row.

use dfdx::shapes::{Axes2, Axes3, Axis, HasShape};
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, GatherTo, ReshapeTo, SumTo, TryAdd, TryMul, TrySub};

use super::pattern::Pattern;
use super::place::{Outcome, Place};

/// (images, rows, channels).
pub(super) type Images<D> = Tensor<(usize, usize, usize), f32, D>;
/// (rows, columns).
pub(super) type Matrix<D> = Tensor<(usize, usize), f32, D>;
/// One value a row or a column.
pub(super) type Values<D> = Tensor<(usize,), f32, D>;
/// NHWC.
pub(super) type Nhwc<D> = Tensor<(usize, usize, usize, usize), f32, D>;

/// An image a matrix of its pixels.
pub(super) fn images<D: Place>(x: &Nhwc<D>) -> Outcome<D, Images<D>> {
    let (images, height, width, channels) = *x.shape();
    x.clone().try_reshape_like(&(images, height * width, channels))
}

/// All pixels of all images as one matrix.
pub(super) fn pixels<D: Place>(x: Nhwc<D>) -> Outcome<D, Matrix<D>> {
    let (images, height, width, channels) = *x.shape();
    x.try_reshape_like(&(images * height * width, channels))
}

/// The rows of each image in the order of a pattern; `fill` in every channel of a row that is outside.
pub(super) fn gather<D: Place>(x: Images<D>, pattern: Pattern, fill: f32) -> Outcome<D, Images<D>> {
    let (images, _, channels) = *x.shape();
    let gather = D::kept().gather(pattern)?;
    let rows = gather.index.shape().0;
    let index = gather.index.clone().try_broadcast_like::<_, Axis<0>>(&(images, rows))?;
    let picked: Images<D> = x.try_gather(index)?;
    let Some(inside) = &gather.inside else { return Ok(picked) };
    let shape = (images, rows, channels);
    let inside = inside.clone().try_broadcast_like::<_, Axes2<0, 2>>(&shape)?;
    let fill = scalar::<D>(fill)?.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape)?;
    inside.try_choose(picked, fill)
}

/// One value on the device.
pub(super) fn scalar<D: Place>(value: f32) -> Outcome<D, Tensor<(), f32, D>> {
    D::kept().device().try_tensor_from_vec(vec![value], ())
}

/// The sum of every column.
pub(super) fn column_sums<D: Place>(x: Matrix<D>) -> Outcome<D, Values<D>> {
    x.try_sum::<(usize,), Axis<0>>()
}

/// The sum of every row.
pub(super) fn row_sums<D: Place>(x: Matrix<D>) -> Outcome<D, Values<D>> {
    x.try_sum::<(usize,), Axis<1>>()
}

/// The sum of all elements. Rows first: a long sum of 32-bit floats in one chain loses digits.
pub(super) fn total<D: Place>(x: Matrix<D>) -> Outcome<D, Tensor<(), f32, D>> {
    row_sums(x)?.try_sum()
}

/// x + values, one a column.
pub(super) fn add_columns<D: Place>(x: Matrix<D>, values: Values<D>) -> Outcome<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_add(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// x − values, one a column.
pub(super) fn subtract_columns<D: Place>(x: Matrix<D>, values: Values<D>) -> Outcome<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_sub(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// x · values, one a column.
pub(super) fn scale_columns<D: Place>(x: Matrix<D>, values: Values<D>) -> Outcome<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_mul(values.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

/// x · values, one a row.
pub(super) fn scale_rows<D: Place>(x: Matrix<D>, values: Values<D>) -> Outcome<D, Matrix<D>> {
    let shape = *x.shape();
    x.try_mul(values.try_broadcast_like::<_, Axis<1>>(&shape)?)
}
