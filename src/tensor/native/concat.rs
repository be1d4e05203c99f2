//! Concatenation on channels: each pixel's channels of `a`, then those of `b`.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};

use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult};

/// See [`crate::tensor::Backend::concat`].
pub(super) fn concat<T: Tape<f32, Cpu>>(
    a: Features<Native, T>,
    b: Features<Native, T>,
) -> OpResult<Native, Features<Native, T>> {
    let (images, height, width, left) = *a.shape();
    let right = b.shape().3;
    debug_assert_eq!((images, height, width), (b.shape().0, b.shape().1, b.shape().2));
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);

    let mut values = Vec::with_capacity(images * height * width * (left + right));
    for (a, b) in to_host(&a).chunks_exact(left).zip(to_host(&b).chunks_exact(right)) {
        values.extend_from_slice(a);
        values.extend_from_slice(b);
    }
    let y = tensor(values, (images, height, width, left + right))?;

    let (a, b, out) = (a.ghost(), b.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let add = |target: &mut [f32], channels: usize, offset: usize| {
            for (target, dy) in target.chunks_exact_mut(channels).zip(dy.chunks_exact(left + right)) {
                target.iter_mut().zip(&dy[offset..]).for_each(|(t, d)| *t += d);
            }
        };
        add(gradients.get_or_alloc_mut(&a)?, left, 0);
        add(gradients.get_or_alloc_mut(&b)?, right, left);
        Ok(())
    });
    Ok(y.put_tape(tape))
}
