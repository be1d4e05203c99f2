//! Concatenation on channels: for each pixel the channels of `a`, then those of `b`.

use rayon::prelude::*;

use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate, accumulated};
use crate::tensor::StepPart;

/// Pixels per parallel part.
const PART: usize = 256;

/// See [`crate::tensor::Kernels::concatenated`].
pub(super) fn concatenated(a: &[f32], b: &[f32], (left, right): (usize, usize)) -> Values {
    let _part = StepPart::Elementwise.start(2 * (a.len() + b.len()));
    let both = left + right;
    let mut y = Values::new(a.len() + b.len());
    y.par_chunks_mut(PART * both).zip(a.par_chunks(PART * left)).zip(b.par_chunks(PART * right)).for_each(
        |((y, a), b)| {
            for ((y, a), b) in y.chunks_exact_mut(both).zip(a.chunks_exact(left)).zip(b.chunks_exact(right)) {
                y[..left].copy_from_slice(a);
                y[left..].copy_from_slice(b);
            }
        },
    );
    y
}

/// See [`crate::tensor::Kernels::add_channels`].
pub(super) fn add_channels(dy: &[f32], all: usize, offset: usize, channels: usize, sum: &mut Option<Values>) {
    let length = dy.len() / all * channels;
    let _part = StepPart::Elementwise.start(length + accumulated(sum, length));
    accumulate(sum, length, |sum, mode| {
        sum.par_chunks_mut(PART * channels).zip(dy.par_chunks(PART * all)).for_each(|(sum, dy)| {
            vectorised(
                #[inline(always)]
                || {
                    for (sum, dy) in sum.chunks_exact_mut(channels).zip(dy.chunks_exact(all)) {
                        let dy = &dy[offset..][..channels];
                        match mode {
                            WriteMode::Overwrite => sum.copy_from_slice(dy),
                            WriteMode::Accumulate => sum.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy),
                        }
                    }
                },
            );
        });
    });
}
