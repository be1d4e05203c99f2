//! Losses, and the distance that becomes an anomaly map.
//!
//! With t = T/‖T‖, s = S/‖S‖ per pixel and D = ‖t − s‖²: ∂D/∂S = 2/‖S‖ · ((s − t) − s·⟨s − t, s⟩).

use dfdx::shapes::{Axes2, HasShape};
use dfdx::tensor::{Merge, PutTape, SplitTape, Tape, Tensor};
use dfdx::tensor_ops::{BroadcastTo, TryAdd, TryMul, TrySub};

use super::Taped;
use super::border::{add, take};
use super::place::{Outcome, Place};
use super::rows::{Matrix, Values, pixels, row_sums, scale_rows, total};

/// Square of the floor of a norm, 1e-12 as in `torch.nn.functional.normalize`.
const SQUARE_FLOOR: f32 = 1e-24;

/// One over the L2 norm of every row.
fn inverse_norms<D: Place>(x: &Matrix<D>) -> Outcome<D, Values<D>> {
    row_sums(x.clone().try_square()?)?.try_add(SQUARE_FLOOR)?.try_sqrt()?.try_recip()
}

/// What both the loss and its gradient are made of.
struct Units<D: Place> {
    /// s − t.
    apart: Matrix<D>,
    /// s.
    student: Matrix<D>,
    /// 1/‖S‖.
    inverse: Values<D>,
}

impl<D: Place> Units<D> {
    fn of(teacher: &Taped<D>, student: &Taped<D>) -> Outcome<D, Self> {
        let (teacher, student) = (pixels(teacher.clone())?, pixels(student.clone())?);
        let (of_teacher, inverse) = (inverse_norms(&teacher)?, inverse_norms(&student)?);
        let student = scale_rows(student, inverse.clone())?;
        let apart = student.clone().try_sub(scale_rows(teacher, of_teacher)?)?;
        Ok(Self { apart, student, inverse })
    }
}

/// See [`crate::tensor::Backend::distance_map`], still on the device.
pub(super) fn distances<D: Place>(teacher: &Taped<D>, student: &Taped<D>) -> Outcome<D, Values<D>> {
    row_sums(Units::of(teacher, student)?.apart.try_square()?)
}

/// See [`crate::tensor::Backend::similarity`].
pub(super) fn similarity<D: Place, T: Tape<f32, D>>(
    teacher: &Taped<D>,
    student: Taped<D, T>,
) -> Outcome<D, Tensor<(), f32, D, T>> {
    let (student, mut tape) = student.split_tape();
    let Units { apart, student: unit, inverse } = Units::of(teacher, &student)?;
    let count = inverse.shape().0 as f32;
    let loss = total(apart.clone().try_square()?)?.try_mul(1.0 / count)?;

    let (student, out) = (student.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let dloss = take!(gradients, &out).try_mul(2.0 / count)?;
        let along = row_sums(apart.clone().try_mul(unit.clone())?)?;
        let across = apart.try_sub(scale_rows(unit, along)?)?;
        let rows = *inverse.shape();
        let factor = inverse.try_mul(dloss.try_broadcast_like(&rows)?)?;
        add(gradients.get_or_alloc_mut(&student)?, scale_rows(across, factor)?)
    });
    Ok(loss.put_tape(tape))
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(super) fn mean_squared_error<D: Place, T: Tape<f32, D> + Merge<R>, R: Tape<f32, D>>(
    a: Taped<D, T>,
    b: Taped<D, R>,
) -> Outcome<D, Tensor<(), f32, D, T>> {
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let (left, right) = (a.ghost(), b.ghost());
    let difference = pixels(a.try_sub(b)?)?;
    let shape = *difference.shape();
    let count = (shape.0 * shape.1) as f32;
    let loss = total(difference.clone().try_square()?)?.try_mul(1.0 / count)?;

    let out = loss.ghost();
    tape.add_backward_op(move |gradients| {
        let dloss = take!(gradients, &out).try_mul(2.0 / count)?;
        let da = difference.try_mul(dloss.try_broadcast_like::<_, Axes2<0, 1>>(&shape)?)?;
        add(gradients.get_or_alloc_mut(&left)?, da.clone())?;
        if R::OWNS_TAPE {
            add(gradients.get_or_alloc_mut(&right)?, da.try_negate()?)?;
        }
        Ok(())
    });
    Ok(loss.put_tape(tape))
}
