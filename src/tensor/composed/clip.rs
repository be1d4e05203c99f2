//! Clipping by the global norm, entirely on the device.

use dfdx::shapes::HasShape;
use dfdx::tensor_ops::{BroadcastTo, SumTo, TryAdd, TryMul};

use super::device::ComposedDevice;
use super::gradient_buffer::overwrite;
use super::rows::scalar;
use crate::tensor::formulas::CLIP_EPSILON;
use crate::tensor::tensors::{DeviceResult, GradientNorms, Gradients, Scalar, Vector};

/// See [`crate::tensor::Backend::clip_gradients`].
pub(in crate::tensor) fn clip_gradients<D: ComposedDevice>(
    gradients: &mut Gradients<D>,
    parts: &[Vec<Vector<D>>],
    ceiling: f64,
) -> DeviceResult<D, GradientNorms<D>> {
    let mut sum = scalar::<D>(0.0)?;
    let mut norms = Vec::with_capacity(parts.len());
    for part in parts {
        let mut of_part = scalar::<D>(0.0)?;
        for parameter in part {
            gradients.try_alloc_for(parameter)?;
            let squares: Scalar<D> = gradients.get(parameter).try_square()?.try_sum()?;
            of_part = of_part.try_add(squares.clone())?;
            sum = sum.try_add(squares)?;
        }
        norms.push(of_part.try_sqrt()?);
    }
    let norm = sum.try_sqrt()?;
    if ceiling > 0.0 {
        // The host does not know the norm, so the factor is limited to 1 instead of compared.
        let inverse = norm.clone().try_add(CLIP_EPSILON as f32)?.try_recip()?;
        let factor = inverse.try_mul(ceiling as f32)?.try_clamp(0.0, 1.0)?;
        for parameter in parts.iter().flatten() {
            let shape = *parameter.shape();
            let scaled = gradients.get(parameter).try_mul(factor.clone().try_broadcast_like(&shape)?)?;
            overwrite(gradients.get_or_alloc_mut(parameter)?, scaled)?;
        }
    }
    Ok(GradientNorms { all: norm, parts: norms })
}
