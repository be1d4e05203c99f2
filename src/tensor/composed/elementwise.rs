//! Operations on each element separately: ReLU, sum and scaling.

use dfdx::shapes::{Axes4, HasShape};
use dfdx::tensor::Tape;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, TryAdd, TryLe, TryMul};

use super::device::ComposedDevice;
use super::gradient_buffer;
use super::rows::scalar;
use crate::tensor::tape::{binary, unary};
use crate::tensor::tensors::{Buffer, DeviceResult, Features};

/// See [`crate::tensor::Backend::relu`]. y = 0 where x ≤ 0, so that NaN stays NaN; dx = dy elsewhere.
pub(in crate::tensor) fn relu<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    unary(x, |x| {
        let shape = *x.shape();
        let zeros = scalar::<D>(0.0)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&shape)?;
        let not_positive = x.try_le(0.0)?;
        let y = not_positive.clone().try_choose(zeros.clone(), x)?;
        let backward =
            move |dy: Features<D>, dx: &mut Buffer<D>| gradient_buffer::add(dx, not_positive.try_choose(zeros, dy)?);
        Ok((y, backward))
    })
}

/// See [`crate::tensor::Backend::add`]. da = db = dy.
pub(in crate::tensor) fn add<D: ComposedDevice, T: Tape<f32, D>>(
    a: Features<D, T>,
    b: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    binary(a, b, |a, b| {
        let backward = |dy: &Features<D>, gradient: &mut Buffer<D>| gradient_buffer::add(gradient, dy.clone());
        Ok((a.try_add(b)?, backward, backward))
    })
}

/// See [`crate::tensor::Backend::scale`]. dx = dy · factor.
pub(in crate::tensor) fn scale<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    factor: &Features<D>,
) -> DeviceResult<D, Features<D, T>> {
    unary(x, |x| {
        let factor = factor.clone();
        let y = x.try_mul(factor.clone())?;
        Ok((y, move |dy: Features<D>, dx: &mut Buffer<D>| gradient_buffer::add(dx, dy.try_mul(factor)?)))
    })
}
