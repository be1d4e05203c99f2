//! Concatenation on channels: for each pixel the channels of `a`, then those of `b`.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Tape};
use rayon::prelude::*;

use super::host_copy::HostCopy;
use super::simd::vectorised;
use super::{tensor, zeroed};
use crate::tensor::StepPart;
use crate::tensor::geometry::concat_shape;
use crate::tensor::tape::binary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features};

/// Pixels per parallel part.
const PART: usize = 1024;

/// See [`crate::tensor::Backend::concat`].
pub(super) fn concat<T: Tape<f32, Cpu>>(
    a: Features<Cpu, T>,
    b: Features<Cpu, T>,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let _part = StepPart::Elementwise.start();
    binary(a, b, |a, b| {
        let shape = concat_shape(*a.shape(), *b.shape());
        let (images, height, width, both) = shape;
        let (left, right) = (a.shape().3, b.shape().3);
        let (a_values, b_values) = HostCopy::both(&a, &b);
        let values = zeroed::in_parts(images * height * width * both, PART * both, |index, y| {
            let a = a_values[index * PART * left..].chunks_exact(left);
            let b = b_values[index * PART * right..].chunks_exact(right);
            for ((y, a), b) in y.chunks_exact_mut(both).zip(a).zip(b) {
                y[..left].copy_from_slice(a);
                y[left..].copy_from_slice(b);
            }
        });
        // Adds the gradient of `channels` channels from `offset` on.
        let backward = move |channels: usize, offset: usize| {
            move |dy: &Vec<f32>, gradient: &mut Buffer<Cpu>| {
                let _part = StepPart::Elementwise.start();
                gradient.par_chunks_mut(PART * channels).zip(dy.par_chunks(PART * both)).for_each(|(target, dy)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            for (target, dy) in target.chunks_exact_mut(channels).zip(dy.chunks_exact(both)) {
                                target.iter_mut().zip(&dy[offset..]).for_each(|(t, d)| *t += d);
                            }
                        },
                    );
                });
                Ok(())
            }
        };
        Ok((tensor(values, shape)?, backward(left, 0), backward(right, left)))
    })
}
