//! Clipping by the global norm (Pascanu et al. 2013), all of it on the device.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Gradients, Tensor};
use dfdx::tensor_ops::{BroadcastTo, SumTo, TryAdd, TryMul};

use super::Weights;
use super::border::overwrite;
use super::place::{Outcome, Place};
use super::rows::scalar;

/// The norm of all, and of each part.
type Norms<D> = (Tensor<(), f32, D>, Vec<Tensor<(), f32, D>>);

/// See [`crate::tensor::Backend::clip_gradients`]; the factor is min(1, ceiling / (norm + 1e-6)), as PyTorch's.
pub(super) fn clip_gradients<D: Place>(
    gradients: &mut Gradients<f32, D>,
    parts: &[Vec<Weights<D>>],
    ceiling: f64,
) -> Outcome<D, Norms<D>> {
    let mut sum = scalar::<D>(0.0)?;
    let mut norms = Vec::with_capacity(parts.len());
    for part in parts {
        let mut of_part = scalar::<D>(0.0)?;
        for parameter in part {
            gradients.try_alloc_for(parameter)?;
            let squares: Tensor<(), f32, D> = gradients.get(parameter).try_square()?.try_sum()?;
            of_part = of_part.try_add(squares.clone())?;
            sum = sum.try_add(squares)?;
        }
        norms.push(of_part.try_sqrt()?);
    }
    let norm = sum.try_sqrt()?;
    if ceiling > 0.0 {
        let factor = norm.clone().try_add(1e-6)?.try_recip()?.try_mul(ceiling as f32)?.try_clamp(0.0, 1.0)?;
        for parameter in parts.iter().flatten() {
            let shape = *parameter.shape();
            let scaled = gradients.get(parameter).try_mul(factor.clone().try_broadcast_like(&shape)?)?;
            overwrite(gradients.get_or_alloc_mut(parameter)?, scaled)?;
        }
    }
    Ok((norm, norms))
}
