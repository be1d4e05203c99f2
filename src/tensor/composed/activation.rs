//! Activations other than ReLU: y = f(x), dx = dy · f′(x), with f and f′ in dfdx's operations.

use dfdx::shapes::{Axes4, HasShape};
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, TryAdd, TryLe, TryMul};

use super::Taped;
use super::border::{add, take};
use super::elementwise::relu;
use super::place::{Outcome, Place};
use super::rows::scalar;
use crate::tensor::Activation;
use crate::tensor::activation::{GELU_CUBE, GELU_SCALE, LEAK};

/// See [`crate::tensor::Backend::activate`].
pub(super) fn activate<D: Place, T: Tape<f32, D>>(x: Taped<D, T>, activation: Activation) -> Outcome<D, Taped<D, T>> {
    let of = match activation {
        Activation::Relu => return relu(x),
        Activation::LeakyRelu => leaky_relu::<D>,
        Activation::Gelu => gelu::<D>,
    };
    let (x, mut tape) = x.split_tape();
    let ghost = x.ghost();
    let (y, slope) = of(x)?;
    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dx = take!(gradients, &out).try_mul(slope)?;
        add(gradients.get_or_alloc_mut(&ghost)?, dx)
    });
    Ok(y.put_tape(tape))
}

/// f(x) and f′(x).
type ValueAndSlope<D> = (Taped<D>, Taped<D>);

fn leaky_relu<D: Place>(x: Taped<D>) -> Outcome<D, ValueAndSlope<D>> {
    let shape = *x.shape();
    let everywhere = |value| scalar::<D>(value)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&shape);
    let slope = x.try_le(0.0)?.try_choose(everywhere(LEAK)?, everywhere(1.0)?)?;
    Ok((x.try_mul(slope.clone())?, slope))
}

/// With u = √(2/π)(x + 0.044715x³) and t = tanh(u): ½x(1 + t), and ½(1 + t) + ½x(1 − t²)u′.
fn gelu<D: Place>(x: Taped<D>) -> Outcome<D, ValueAndSlope<D>> {
    let square = x.clone().try_square()?;
    let inner = square.clone().try_mul(GELU_CUBE * GELU_SCALE)?.try_add(GELU_SCALE)?;
    let tanh = x.clone().try_mul(inner)?.try_tanh()?;
    let half = tanh.clone().try_add(1.0)?.try_mul(0.5)?;
    let inner_slope = square.try_mul(3.0 * GELU_CUBE * GELU_SCALE)?.try_add(GELU_SCALE)?;
    let falling = tanh.try_square()?.try_mul(-1.0)?.try_add(1.0)?;
    let steep = x.clone().try_mul(falling)?.try_mul(inner_slope)?.try_mul(0.5)?;
    Ok((x.try_mul(half.clone())?, half.try_add(steep)?))
}
