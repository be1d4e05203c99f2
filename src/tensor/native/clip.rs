//! Clipping by the global norm.

use rayon::prelude::*;

use super::simd::sum_64;
use super::values::Values;
use crate::tensor::StepPart;
use crate::tensor::formulas::CLIP_EPSILON;

/// Values per part of a sum: fixed, so that the bits do not depend on the number of threads.
const PART: usize = 1 << 15;

/// See [`crate::tensor::Kernels::clipped`].
pub(super) fn clipped(parts: &mut [Vec<&mut Values>], ceiling: f64) -> (f32, Vec<f32>) {
    let values = parts.iter().flatten().map(|gradient| gradient.len()).sum();
    let _part = StepPart::Clipping.start(values);
    let square = |g: f32| f64::from(g) * f64::from(g);
    let (mut sum, mut norms) = (0.0, Vec::with_capacity(parts.len()));
    for part in &*parts {
        let mut of_part = 0.0;
        for gradient in part {
            let squares = sum_64(gradient, PART, square);
            of_part += squares;
            sum += squares;
        }
        norms.push(of_part.sqrt() as f32);
    }
    let norm = sum.sqrt();
    if ceiling > 0.0 && norm > ceiling {
        let factor = (ceiling / (norm + CLIP_EPSILON)) as f32;
        for gradient in parts.iter_mut().flatten() {
            gradient.par_chunks_mut(PART).for_each(|part| part.iter_mut().for_each(|g| *g *= factor));
        }
    }
    (norm as f32, norms)
}
