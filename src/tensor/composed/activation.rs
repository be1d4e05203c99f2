//! Activations other than ReLU: y = f(x), dx = dy · f′(x). f and f′ are composed of dfdx's operations.

use dfdx::shapes::{Axes4, HasShape};
use dfdx::tensor::Tape;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, TryAdd, TryLe, TryMul};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::rows::scalar;
use crate::tensor::activation::{GELU_CUBE, GELU_SCALE, LEAK};
use crate::tensor::tape::unary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features};

/// See [`crate::tensor::Activation::LeakyRelu`].
pub(in crate::tensor) fn leaky_relu<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    activate(x, leaky_relu_and_slope)
}

/// See [`crate::tensor::Activation::Gelu`].
pub(in crate::tensor) fn gelu<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    activate(x, gelu_and_slope)
}

fn activate<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    value_and_slope: impl FnOnce(Features<D>) -> DeviceResult<D, ValueAndSlope<D>>,
) -> DeviceResult<D, Features<D, T>> {
    unary(x, |x| {
        let (y, slope) = value_and_slope(x)?;
        Ok((y, move |dy: Features<D>, dx: &mut Buffer<D>| add(dx, dy.try_mul(slope)?)))
    })
}

/// f(x) and f′(x).
type ValueAndSlope<D> = (Features<D>, Features<D>);

fn leaky_relu_and_slope<D: ComposedDevice>(x: Features<D>) -> DeviceResult<D, ValueAndSlope<D>> {
    let shape = *x.shape();
    let everywhere = |value| scalar::<D>(value)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&shape);
    let slope = x.try_le(0.0)?.try_choose(everywhere(LEAK)?, everywhere(1.0)?)?;
    Ok((x.try_mul(slope.clone())?, slope))
}

/// With u = √(2/π)(x + 0.044715x³) and t = tanh(u): ½x(1 + t), and ½(1 + t) + ½x(1 − t²)u′.
fn gelu_and_slope<D: ComposedDevice>(x: Features<D>) -> DeviceResult<D, ValueAndSlope<D>> {
    let square = x.clone().try_square()?;
    let inner = square.clone().try_mul(GELU_CUBE * GELU_SCALE)?.try_add(GELU_SCALE)?;
    let tanh = x.clone().try_mul(inner)?.try_tanh()?;
    let half = tanh.clone().try_add(1.0)?.try_mul(0.5)?;
    let inner_slope = square.try_mul(3.0 * GELU_CUBE * GELU_SCALE)?.try_add(GELU_SCALE)?;
    let one_minus_square = tanh.try_square()?.try_mul(-1.0)?.try_add(1.0)?;
    let correction = x.clone().try_mul(one_minus_square)?.try_mul(inner_slope)?.try_mul(0.5)?;
    Ok((x.try_mul(half.clone())?, half.try_add(correction)?))
}
