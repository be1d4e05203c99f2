//! Norms of gradients, and their scaling.

use rayon::prelude::*;

use super::simd::sum_64;
use super::{Native, tensor};
use crate::tensor::{GradientNorms, Gradients, OpResult, Part, Vector};

/// Values a part of a sum: fixed, so that the bits do not depend on the number of threads.
const PART: usize = 1 << 15;

/// See [`crate::tensor::Backend::clip_gradients`].
pub(super) fn clip_gradients(
    gradients: &mut Gradients<Native>,
    parts: &[Vec<Vector<Native>>],
    ceiling: f64,
) -> OpResult<Native, GradientNorms<Native>> {
    let _part = Part::Clipping.start();
    let mut sum = 0.0;
    let mut norms = Vec::with_capacity(parts.len());
    for part in parts {
        let mut of_part = 0.0;
        for parameter in part {
            let squares = sum_64(gradients.get_or_alloc_mut(parameter)?, PART, |g| f64::from(g) * f64::from(g));
            of_part += squares;
            sum += squares;
        }
        norms.push(tensor(vec![of_part.sqrt() as f32], ())?);
    }
    let norm = sum.sqrt();
    if ceiling > 0.0 && norm > ceiling {
        let factor = (ceiling / (norm + 1e-6)) as f32;
        for parameter in parts.iter().flatten() {
            let gradient: &mut Vec<f32> = gradients.get_or_alloc_mut(parameter)?;
            gradient.par_chunks_mut(PART).for_each(|part| part.iter_mut().for_each(|g| *g *= factor));
        }
    }
    Ok(GradientNorms { all: tensor(vec![norm as f32], ())?, parts: norms })
}
