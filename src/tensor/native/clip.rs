//! Clipping by the global norm.

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::simd::sum_64;
use super::tensor;
use crate::tensor::StepPart;
use crate::tensor::formulas::CLIP_EPSILON;
use crate::tensor::tensors::{DeviceResult, GradientNorms, Gradients, Vector};

/// Values per part of a sum: fixed, so that the bits do not depend on the number of threads.
const PART: usize = 1 << 15;

/// See [`crate::tensor::Backend::clip_gradients`].
pub(super) fn clip_gradients(
    gradients: &mut Gradients<Cpu>,
    parts: &[Vec<Vector<Cpu>>],
    ceiling: f64,
) -> DeviceResult<Cpu, GradientNorms<Cpu>> {
    let _part = StepPart::Clipping.start();
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
        let factor = (ceiling / (norm + CLIP_EPSILON)) as f32;
        for parameter in parts.iter().flatten() {
            let gradient: &mut Vec<f32> = gradients.get_or_alloc_mut(parameter)?;
            gradient.par_chunks_mut(PART).for_each(|part| part.iter_mut().for_each(|g| *g *= factor));
        }
    }
    Ok(GradientNorms { all: tensor(vec![norm as f32], ())?, parts: norms })
}
