//! Concatenation on channels: each pixel's channels of `a`, then those of `b`.
//!
//! The channels are moved in parts of a size that divides both, as rows.

use dfdx::shapes::{Axes2, HasShape};
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, ReshapeTo};

use super::Taped;
use super::border::{add, take};
use super::pattern::Pattern;
use super::place::{Outcome, Place};
use super::rows::{Images, gather};

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// See [`crate::tensor::Backend::concat`].
pub(super) fn concat<D: Place, T: Tape<f32, D>>(a: Taped<D, T>, b: Taped<D, T>) -> Outcome<D, Taped<D, T>> {
    let (count, height, width, left) = *a.shape();
    let right = b.shape().3;
    debug_assert_eq!((count, height, width), (b.shape().0, b.shape().1, b.shape().2));
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);

    let size = greatest_common_divisor(left, right);
    let (pixels, parts) = (height * width, (left / size, right / size));
    let rows = pixels * (parts.0 + parts.1);
    let joined = |second| Pattern::Joined { pixels, parts, second };
    let (first, second) = (a.ghost(), b.ghost());
    let from_first = D::kept().gather(joined(false))?;
    let from_a = gather(a.try_reshape_like(&(count, pixels * parts.0, size))?, joined(false), 0.0)?;
    let from_b = gather(b.try_reshape_like(&(count, pixels * parts.1, size))?, joined(true), 0.0)?;
    let y = match &from_first.inside {
        Some(inside) => {
            inside.clone().try_broadcast_like::<_, Axes2<0, 2>>(&(count, rows, size))?.try_choose(from_a, from_b)?
        }
        None => from_a,
    };
    let y = y.try_reshape_like(&(count, height, width, left + right))?;

    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dy: Images<D> = take!(gradients, &out).try_reshape_like(&(count, rows, size))?;
        let parted = |second| Pattern::Parted { pixels, parts, second };
        add(gradients.get_or_alloc_mut(&first)?, gather(dy.clone(), parted(false), 0.0)?)?;
        add(gradients.get_or_alloc_mut(&second)?, gather(dy, parted(true), 0.0)?)
    });
    Ok(y.put_tape(tape))
}
