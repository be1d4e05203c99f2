//! The border between dfdx's tensors and its gradients.
//!
//! dfdx gives no way to a tensor's data and takes none for a new one; what it does give is a gradient's buffer, a copy of a
//! gradient as a tensor, and the update of a tensor by an optimiser. Stochastic gradient descent with momentum m, weight
//! decay 1 and step size 0, given a gradient of zeros, leaves the tensor as it is and makes v = p + m·v of the momentum v:
//! with a gradient's buffer in the place of the momentum, m = 1 adds a tensor to it and m = 0 overwrites it.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Storage, Tensor};
use dfdx::tensor_ops::{Momentum, SgdConfig, WeightDecay};

use super::place::{Outcome, Place};

/// buffer = tensor + keep · buffer.
fn blend<S: Shape, D: Place>(
    buffer: &mut <D as Storage<f32>>::Vec,
    mut tensor: Tensor<S, f32, D>,
    keep: f64,
) -> Outcome<D, ()> {
    let length = tensor.shape().num_elements();
    let config =
        SgdConfig { lr: 0.0, momentum: Some(Momentum::Classic(keep)), weight_decay: Some(WeightDecay::L2(1.0)) };
    D::kept().with_zeros(length, |zeros| config.try_update(&mut tensor, buffer, zeros))
}

/// Adds a tensor to a gradient's buffer.
pub(super) fn add<S: Shape, D: Place>(
    buffer: &mut <D as Storage<f32>>::Vec,
    tensor: Tensor<S, f32, D>,
) -> Outcome<D, ()> {
    blend(buffer, tensor, 1.0)
}

/// Overwrites a gradient's buffer, whose values must be finite, with a tensor.
pub(super) fn overwrite<S: Shape, D: Place>(
    buffer: &mut <D as Storage<f32>>::Vec,
    tensor: Tensor<S, f32, D>,
) -> Outcome<D, ()> {
    blend(buffer, tensor, 0.0)
}

/// Takes the gradient of a result as a tensor; its buffer is given back, for nothing reads it again.
///
/// A macro, because dfdx does not let others name what stands for a tensor on the tape.
macro_rules! take {
    ($gradients:expr, $result:expr) => {{
        $gradients.try_alloc_for($result)?;
        let gradient = $gradients.get($result);
        // One value: the smallest buffer that every driver grants.
        *$gradients.get_or_alloc_mut($result)? =
            dfdx::tensor::Storage::<f32>::try_alloc_len(&$crate::tensor::composed::device::<D>(), 1)?;
        gradient
    }};
}
pub(super) use take;
