//! Concatenation on channels: each pixel's channels of `a`, then those of `b`.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::simd::vectorised;
use super::{Native, tensor, zeroed};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Part};

/// Pixels a part.
const PART: usize = 1024;

/// See [`crate::tensor::Backend::concat`].
pub(super) fn concat<T: Tape<f32, Cpu>>(
    a: Features<Native, T>,
    b: Features<Native, T>,
) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let (images, height, width, left) = *a.shape();
    let right = b.shape().3;
    debug_assert_eq!((images, height, width), (b.shape().0, b.shape().1, b.shape().2));
    let both = left + right;
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);

    let (a_values, b_values) = (to_host(&a), to_host(&b));
    let values = zeroed::in_parts(images * height * width * both, PART * both, |index, y| {
        let a = a_values[index * PART * left..].chunks_exact(left);
        let b = b_values[index * PART * right..].chunks_exact(right);
        for ((y, a), b) in y.chunks_exact_mut(both).zip(a).zip(b) {
            y[..left].copy_from_slice(a);
            y[left..].copy_from_slice(b);
        }
    });
    let y = tensor(values, (images, height, width, both))?;

    let (a, b, out) = (a.ghost(), b.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let add = |target: &mut [f32], channels: usize, offset: usize| {
            target.par_chunks_mut(PART * channels).zip(dy.par_chunks(PART * both)).for_each(|(target, dy)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (target, dy) in target.chunks_exact_mut(channels).zip(dy.chunks_exact(both)) {
                            target.iter_mut().zip(&dy[offset..]).for_each(|(t, d)| *t += d);
                        }
                    },
                );
            });
        };
        add(gradients.get_or_alloc_mut(&a)?, left, 0);
        add(gradients.get_or_alloc_mut(&b)?, right, left);
        Ok(())
    });
    Ok(y.put_tape(tape))
}
