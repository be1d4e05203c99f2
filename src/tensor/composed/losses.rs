//! Losses, and the distance for anomaly maps. For the formulas see [`crate::tensor::Backend::similarity`].

use dfdx::shapes::{Axes2, Axis, HasShape};
use dfdx::tensor::{Merge, Tape};
use dfdx::tensor_ops::{BroadcastTo, MeanTo, ReshapeTo, TryAdd, TryMul, TrySub};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::rows::{pixels, row_sums, scale_rows, total};
use crate::tensor::formulas::NORM_FLOOR;
use crate::tensor::tape::{binary, unary};
use crate::tensor::tensors::{Buffer, DeviceResult, Features, Matrix, Scalar, Vector};

/// Returns one over the L2 norm of every row.
fn inverse_norms<D: ComposedDevice>(x: &Matrix<D>) -> DeviceResult<D, Vector<D>> {
    row_sums(x.clone().try_square()?)?.try_add(NORM_FLOOR * NORM_FLOOR)?.try_sqrt()?.try_recip()
}

/// The terms of the distance and of its gradient.
struct UnitVectors<D: ComposedDevice> {
    /// s − t.
    difference: Matrix<D>,
    /// s.
    student: Matrix<D>,
    /// 1/‖S‖.
    inverse: Vector<D>,
}

impl<D: ComposedDevice> UnitVectors<D> {
    fn of(teacher: &Features<D>, student: &Features<D>) -> DeviceResult<D, Self> {
        let (teacher, student) = (pixels(teacher.clone())?, pixels(student.clone())?);
        let (of_teacher, inverse) = (inverse_norms(&teacher)?, inverse_norms(&student)?);
        let student = scale_rows(student, inverse.clone())?;
        let difference = student.clone().try_sub(scale_rows(teacher, of_teacher)?)?;
        Ok(Self { difference, student, inverse })
    }
}

/// See [`crate::tensor::Backend::distance_map`].
pub(in crate::tensor) fn distance_map<D: ComposedDevice>(
    teacher: &Features<D>,
    student: &Features<D>,
) -> DeviceResult<D, Matrix<D>> {
    let (count, height, width, _) = *student.shape();
    let distances = row_sums(UnitVectors::of(teacher, student)?.difference.try_square()?)?;
    distances.try_reshape_like(&(count, height * width))
}

/// See [`crate::tensor::Backend::similarity`].
pub(in crate::tensor) fn similarity<D: ComposedDevice, T: Tape<f32, D>>(
    teacher: &Features<D>,
    student: Features<D, T>,
) -> DeviceResult<D, Scalar<D, T>> {
    unary(student, |student| {
        let UnitVectors { difference, student: unit, inverse } = UnitVectors::of(teacher, &student)?;
        let rows = *inverse.shape();
        let count = rows.0 as f32;
        let loss = total(difference.clone().try_square()?)?.try_mul(1.0 / count)?;
        let backward = move |dloss: Scalar<D>, gradient: &mut Buffer<D>| {
            let dloss = dloss.try_mul(2.0 / count)?;
            let along = row_sums(difference.clone().try_mul(unit.clone())?)?;
            let across = difference.try_sub(scale_rows(unit, along)?)?;
            let factor = inverse.try_mul(dloss.try_broadcast_like(&rows)?)?;
            add(gradient, scale_rows(across, factor)?)
        };
        Ok((loss, backward))
    })
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(in crate::tensor) fn mean_squared_error<D: ComposedDevice, T: Tape<f32, D> + Merge<U>, U: Tape<f32, D>>(
    a: Features<D, T>,
    b: Features<D, U>,
) -> DeviceResult<D, Scalar<D, T>> {
    binary(a, b, |a, b| {
        let difference = pixels(a.try_sub(b)?)?;
        let shape = *difference.shape();
        let count = (shape.0 * shape.1) as f32;
        let loss = total(difference.clone().try_square()?)?.try_mul(1.0 / count)?;
        let backward = |sign: f32| {
            let difference = difference.clone();
            move |dloss: &Scalar<D>, gradient: &mut Buffer<D>| {
                let dloss = dloss.clone().try_mul(sign * 2.0 / count)?;
                let dloss = dloss.try_broadcast_like::<_, Axes2<0, 1>>(&shape)?;
                add(gradient, difference.try_mul(dloss)?)
            }
        };
        Ok((loss, backward(1.0), backward(-1.0)))
    })
}

/// Difference above which the smooth L1 distance is linear.
const LINEAR_ABOVE: f64 = 1.0;

/// See [`crate::tensor::Backend::smooth_l1`].
pub(in crate::tensor) fn smooth_l1<D: ComposedDevice, T: Tape<f32, D>>(
    a: Features<D, T>,
    b: &Features<D>,
) -> DeviceResult<D, Scalar<D, T>> {
    let of_values = a.try_huber_error(b.clone(), LINEAR_ABOVE)?;
    // The mean of one axis after the other keeps sums short, and so their rounding errors small.
    let of_pixels = of_values.try_mean::<(usize, usize, usize), Axis<3>>()?;
    let of_rows = of_pixels.try_mean::<(usize, usize), Axis<2>>()?;
    of_rows.try_mean::<(usize,), Axis<1>>()?.try_mean::<(), Axis<0>>()
}
