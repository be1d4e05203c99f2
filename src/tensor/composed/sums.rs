//! Sums of losses and of distances, running statistics, and copies without gradient.

use dfdx::tensor::Tape;
use dfdx::tensor_ops::{TryAdd, TryMul};

use super::device::ComposedDevice;
use crate::tensor::tensors::{DeviceResult, Features, Matrix, Scalar, Vector};

/// See [`crate::tensor::Backend::weighted_sum`].
pub(in crate::tensor) fn weighted_sum<D: ComposedDevice, T: Tape<f32, D>>(
    first: (Scalar<D, T>, f32),
    others: impl IntoIterator<Item = (Scalar<D, T>, f32)>,
) -> DeviceResult<D, Scalar<D, T>> {
    // A product with 1 is the same number; leaving it out saves an operation.
    let term = |(loss, weight): (Scalar<D, T>, f32)| if weight == 1.0 { Ok(loss) } else { loss.try_mul(weight) };
    others.into_iter().try_fold(term(first)?, |sum, other| sum.try_add(term(other)?))
}

/// See [`crate::tensor::Backend::average`].
pub(in crate::tensor) fn average<D: ComposedDevice>(a: Matrix<D>, b: Matrix<D>) -> DeviceResult<D, Matrix<D>> {
    a.try_add(b)?.try_mul(0.5)
}

/// See [`crate::tensor::Backend::detach`]. A product has a new identity.
pub(in crate::tensor) fn detach<D: ComposedDevice>(features: Features<D>) -> DeviceResult<D, Features<D>> {
    features.try_mul(1.0)
}

/// See [`crate::tensor::Backend::track`].
pub(in crate::tensor) fn track<D: ComposedDevice>(
    running: &mut Vector<D>,
    batch: &Vector<D>,
    momentum: f64,
) -> DeviceResult<D, ()> {
    running.try_axpy(1.0 - momentum, batch, momentum)
}
