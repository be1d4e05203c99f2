//! Operations on each element separately.

use rayon::prelude::*;

use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate};
use crate::tensor::StepPart;

/// Elements per parallel part: a part of three buffers stays in a core's cache.
const PART: usize = 1 << 15;

/// Computes y = function(x).
pub(super) fn map(x: &[f32], function: impl Fn(f32) -> f32 + Sync) -> Values {
    let _part = StepPart::Elementwise.start(2 * x.len());
    let mut y = Values::new(x.len());
    y.par_chunks_mut(PART).zip(x.par_chunks(PART)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, x)| *y = function(*x)),
        );
    });
    y
}

/// Computes y = function(a, b).
pub(super) fn zip(a: &[f32], b: &[f32], function: impl Fn(f32, f32) -> f32 + Sync) -> Values {
    let mut sum = None;
    add_zip(&mut sum, a, b, function);
    sum.unwrap_or_else(|| Values::new(0))
}

/// Adds function(x).
pub(super) fn add_map(sum: &mut Option<Values>, x: &[f32], function: impl Fn(f32) -> f32 + Sync) {
    accumulate(sum, x.len(), |sum, mode| {
        sum.par_chunks_mut(PART).zip(x.par_chunks(PART)).for_each(|(sum, x)| {
            vectorised(
                #[inline(always)]
                || match mode {
                    WriteMode::Overwrite => sum.iter_mut().zip(x).for_each(|(sum, x)| *sum = function(*x)),
                    WriteMode::Accumulate => sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += function(*x)),
                },
            );
        });
    });
}

/// Adds function(a, b).
pub(super) fn add_zip(sum: &mut Option<Values>, a: &[f32], b: &[f32], function: impl Fn(f32, f32) -> f32 + Sync) {
    accumulate(sum, a.len(), |sum, mode| {
        sum.par_chunks_mut(PART).zip(a.par_chunks(PART)).zip(b.par_chunks(PART)).for_each(|((sum, a), b)| {
            vectorised(
                #[inline(always)]
                || {
                    let pairs = sum.iter_mut().zip(a).zip(b);
                    match mode {
                        WriteMode::Overwrite => pairs.for_each(|((sum, a), b)| *sum = function(*a, *b)),
                        WriteMode::Accumulate => pairs.for_each(|((sum, a), b)| *sum += function(*a, *b)),
                    }
                },
            );
        });
    });
}
