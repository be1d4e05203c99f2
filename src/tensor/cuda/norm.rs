//! Batch norm.

use super::backend::Cuda;
use super::device::CudaBuffer;
use super::launch::{by_fours, destination, launch};
use crate::tensor::OpResult;
use crate::tensor::kernels::{FrozenBuffers, NormBuffers, NormGradients, NormalisedBuffers, Sum};

/// Rows per part of a sum.
const PART: usize = 512;

/// Values of the forward pass that the backward pass needs, one per channel.
pub struct Normalisation {
    mean: CudaBuffer,
    inverse: CudaBuffer,
    scale: CudaBuffer,
}

/// Returns the scale and the shift per channel that equal batch norm with given mean and variance.
pub(super) fn folded(
    FrozenBuffers { norm, mean, variance }: &FrozenBuffers<'_, Cuda>,
) -> OpResult<(CudaBuffer, CudaBuffer)> {
    let channels = norm.weight.len();
    let (scale, shift) = (CudaBuffer::new(channels)?, CudaBuffer::new(channels)?);
    launch!(
        "norm_folded", channels.div_ceil(256);
        norm.weight, norm.bias, *mean, *variance, norm.epsilon, &scale, &shift, channels,
    )?;
    Ok((scale, shift))
}

/// Computes y = scale·z + shift (+ shortcut), then ReLU if `relu`.
pub(super) fn applied(
    z: &CudaBuffer,
    (scale, shift): (&CudaBuffer, &CudaBuffer),
    channels: usize,
    shortcut: Option<&CudaBuffer>,
    relu: bool,
) -> OpResult<CudaBuffer> {
    let y = CudaBuffer::new(z.len())?;
    launch!("norm_apply", by_fours(z.len()); z, scale, shift, shortcut, &y, z.len() / channels, channels, relu)?;
    Ok(y)
}

/// See [`crate::tensor::Kernels::normalised`].
pub(super) fn normalised(
    z: &CudaBuffer,
    channels: usize,
    norm: &NormBuffers<'_, Cuda>,
    shortcut: Option<&CudaBuffer>,
    relu: bool,
) -> OpResult<NormalisedBuffers<Cuda>> {
    let rows = z.len() / channels;
    let parts = rows.div_ceil(PART);
    let partial = CudaBuffer::new(parts * 2 * channels)?;
    launch!("norm_moments", parts * channels.div_ceil(16); z, &partial, rows, channels)?;
    let new = || CudaBuffer::new(channels);
    let (mean, inverse, scale, shift, batch_mean, variance) = (new()?, new()?, new()?, new()?, new()?, new()?);
    launch!(
        "norm_finish", channels.div_ceil(4);
        &partial, norm.weight, norm.bias, norm.epsilon, &mean, &inverse, &scale, &shift, &batch_mean, &variance, rows,
        channels,
    )?;
    let y = applied(z, (&scale, &shift), channels, shortcut, relu)?;
    Ok(NormalisedBuffers { y, mean: batch_mean, variance, normalisation: Normalisation { mean, inverse, scale } })
}

impl Normalisation {
    /// See [`crate::tensor::Kernels::normalisation_gradients`].
    pub(super) fn gradients(
        &self,
        dy: CudaBuffer,
        z: &CudaBuffer,
        y: Option<&CudaBuffer>,
        with_shortcut: bool,
        weight_sum: &mut Sum<Cuda>,
        bias_sum: &mut Sum<Cuda>,
    ) -> OpResult<NormGradients<Cuda>> {
        let channels = self.mean.len();
        let rows = z.len() / channels;
        let parts = rows.div_ceil(PART);
        let partial = CudaBuffer::new(parts * 2 * channels)?;
        // Without ReLU, g is dy and need not be written.
        let g = y.map(|_| &dy);
        launch!(
            "norm_sums", parts * channels.div_ceil(16);
            &dy, y, z, &self.mean, &partial, g, rows, channels,
        )?;
        let (weight_sum, accumulate) = destination(weight_sum, channels)?;
        let (bias_sum, accumulate_bias) = destination(bias_sum, channels)?;
        debug_assert_eq!(accumulate, accumulate_bias, "γ and β of one batch norm");
        let (slope, level) = (CudaBuffer::new(channels)?, CudaBuffer::new(channels)?);
        launch!(
            "norm_sums_finish", channels.div_ceil(4);
            &partial, &self.inverse, &self.scale, &self.mean, weight_sum, bias_sum, accumulate,
            &slope, &level, rows, channels,
        )?;
        // A shortcut takes g over, so that dz needs memory of its own.
        let own = with_shortcut.then(|| CudaBuffer::new(dy.len())).transpose()?;
        let dz = own.as_ref().unwrap_or(&dy);
        launch!(
            "norm_input_gradient", by_fours(dy.len());
            &dy, z, &self.scale, &slope, &level, dz, rows, channels,
        )?;
        Ok(match own {
            Some(input) => NormGradients { input, shortcut: Some(dy) },
            None => NormGradients { input: dy, shortcut: None },
        })
    }
}
