//! Operations that treat every element alone: relu, sum, scaling.

use dfdx::shapes::{Axes4, HasShape};
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, TryAdd, TryLe, TryMul};

use super::Taped;
use super::border::{add as add_gradient, take};
use super::place::{Outcome, Place};
use super::rows::scalar;

/// See [`crate::tensor::Backend::relu`]. Zero where x ≤ 0, so that what is no number stays none; dx = dy elsewhere.
pub(super) fn relu<D: Place, T: Tape<f32, D>>(x: Taped<D, T>) -> Outcome<D, Taped<D, T>> {
    let shape = *x.shape();
    let (x, mut tape) = x.split_tape();
    let zeros = scalar::<D>(0.0)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&shape)?;
    let ghost = x.ghost();
    let off = x.try_le(0.0)?;
    let y = off.clone().try_choose(zeros.clone(), x)?;
    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dx = off.try_choose(zeros, take!(gradients, &out))?;
        add_gradient(gradients.get_or_alloc_mut(&ghost)?, dx)
    });
    Ok(y.put_tape(tape))
}

/// See [`crate::tensor::Backend::add`]. da = db = dy.
pub(super) fn add<D: Place, T: Tape<f32, D>>(a: Taped<D, T>, b: Taped<D, T>) -> Outcome<D, Taped<D, T>> {
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let (left, right) = (a.ghost(), b.ghost());
    let y = a.try_add(b)?;
    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dy = take!(gradients, &out);
        add_gradient(gradients.get_or_alloc_mut(&left)?, dy.clone())?;
        add_gradient(gradients.get_or_alloc_mut(&right)?, dy)
    });
    Ok(y.put_tape(tape))
}

/// See [`crate::tensor::Backend::scale`]. dx = dy · factor.
pub(super) fn scale<D: Place, T: Tape<f32, D>>(x: Taped<D, T>, factor: &Taped<D>) -> Outcome<D, Taped<D, T>> {
    let (x, mut tape) = x.split_tape();
    let ghost = x.ghost();
    let factor = factor.clone();
    let y = x.try_mul(factor.clone())?;
    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dx = take!(gradients, &out).try_mul(factor)?;
        add_gradient(gradients.get_or_alloc_mut(&ghost)?, dx)
    });
    Ok(y.put_tape(tape))
}
