//! Who computes a convolution: didact's own kernels, or cuDNN.

use super::cudnn::{Convolution, Cudnn, cudnn_version};
use super::driver::Stream;
use super::tiles::Pass;
use crate::tensor::geometry::Nhwc;
use crate::tensor::{Conv2d, Convolutions, DeviceError, Gpu, Numerics, OpResult};

/// Convolutions for which cuDNN is expected to be faster.
struct Row {
    /// Compute capability of the GPU.
    capability: &'static str,
    numerics: Numerics,
    pass: Pass,
    /// Fewest channels, of input and output.
    channels: usize,
    /// Fewest multiply-accumulates.
    work: u64,
}

const fn row(pass: Pass) -> Row {
    Row { capability: "9.0", numerics: Numerics::Tf32, pass, channels: 64, work: 2_000_000_000 }
}

/// The table of `auto`, to be replaced by measurements.
///
/// In TF32 on capability 9.0, cuDNN has matrix instructions that PTX for 8.0 lacks. In f32, own kernels fuse what follows and need no
/// other order of weights, and `auto` keeps the promise of the same bits. Small convolutions would lose more by the transposed weights
/// than they could win.
const FASTER: [Row; 3] = [row(Pass::Forward), row(Pass::Data), row(Pass::Weights)];

/// Channels must be a multiple of this for cuDNN's fast kernels.
const VECTOR: usize = 8;

impl Row {
    fn fits(&self, capability: &str, numerics: Numerics) -> bool {
        self.capability == capability && self.numerics == numerics
    }

    fn has(&self, pass: Pass, (images, height, width, _): Nhwc, conv: &Conv2d) -> bool {
        let channels = [conv.input, conv.output];
        self.pass == pass
            && channels.iter().all(|channels| *channels >= self.channels && channels.is_multiple_of(VECTOR))
            && images as u64 * conv.multiply_accumulates(height, width) >= self.work
    }
}

/// Who computes the convolutions of this process.
pub(super) struct Provider {
    cudnn: Option<Cudnn>,
    /// Whether cuDNN computes whatever it supports.
    always: bool,
    capability: String,
    numerics: Numerics,
    description: String,
}

impl Provider {
    /// Opens what a GPU's convolutions need.
    ///
    /// # Errors
    /// If cuDNN is requested but cannot be used, or if there is no memory for it.
    pub(super) fn open(choice: Convolutions, gpu: &Gpu, stream: Stream, numerics: Numerics) -> OpResult<Self> {
        let listed = FASTER.iter().any(|row| row.fits(&gpu.capability, numerics));
        let cudnn = match choice {
            Convolutions::Own => None,
            Convolutions::Auto if !listed => None,
            Convolutions::Auto => match found(stream, numerics) {
                Ok(found) => Some(found),
                // Another worker may have more luck, and a resumed phase must not find another provider for lack of memory.
                Err(error @ DeviceError::OutOfMemory(_)) => return Err(error),
                Err(DeviceError::Lost(reason)) => {
                    tracing::info!(reason, "own kernels compute the convolutions");
                    None
                }
            },
            Convolutions::Cudnn => Some(found(stream, numerics)?),
        };
        let description = match &cudnn {
            None => Convolutions::Own.name().to_owned(),
            Some((_, version)) => format!("{choice}: cuDNN {version} on {}", gpu.name),
        };
        Ok(Self {
            cudnn: cudnn.map(|(cudnn, _)| cudnn),
            always: choice == Convolutions::Cudnn,
            capability: gpu.capability.clone(),
            numerics,
            description,
        })
    }

    /// Returns what decides the bits of convolutions.
    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// Returns cuDNN's convolution, or `None` if own kernels compute it. `fused` convolutions have something to do with their outputs.
    pub(super) fn cudnn(
        &mut self,
        pass: Pass,
        shape: Nhwc,
        conv: &Conv2d,
        fused: bool,
    ) -> OpResult<Option<Convolution>> {
        let Some(cudnn) = &mut self.cudnn else { return Ok(None) };
        let faster =
            !fused && FASTER.iter().any(|row| row.fits(&self.capability, self.numerics) && row.has(pass, shape, conv));
        if self.always || faster { cudnn.convolution(pass, shape, conv) } else { Ok(None) }
    }
}

/// Opens cuDNN and returns its version.
fn found(stream: Stream, numerics: Numerics) -> OpResult<(Cudnn, String)> {
    let version = cudnn_version().map_err(DeviceError::Lost)?;
    Ok((Cudnn::open(stream, numerics)?, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_cudnn_for_large_convolutions_in_tf32_alone() {
        let conv = |input, output, kernel| Conv2d {
            input,
            output,
            kernel,
            stride: 1,
            padding: kernel / 2,
            input_gradient: true,
        };
        let faster = |capability: &str, numerics, shape: Nhwc, conv: &Conv2d| {
            FASTER.iter().any(|row| row.fits(capability, numerics) && row.has(Pass::Forward, shape, conv))
        };
        assert!(faster("9.0", Numerics::Tf32, (32, 64, 64, 64), &conv(64, 64, 3)));
        assert!(!faster("9.0", Numerics::F32, (32, 64, 64, 64), &conv(64, 64, 3)));
        assert!(!faster("8.6", Numerics::Tf32, (32, 64, 64, 64), &conv(64, 64, 3)));
        assert!(!faster("9.0", Numerics::Tf32, (8, 64, 64, 64), &conv(64, 64, 3)));
        assert!(!faster("9.0", Numerics::Tf32, (32, 256, 256, 3), &conv(3, 64, 7)));
    }
}
