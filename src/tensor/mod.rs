//! Differentiable operations on tensors.
//!
//! dfdx gives tensors their identity, records operations on a tape and runs backward passes. The values are buffers of a device, which
//! provides [`Kernels`]: the CPU ([`Native`]) or a GPU ([`cuda::Cuda`]). [`Backend`] has the operations for all devices. Tensors are NHWC.

mod activation;
mod backend;
mod convolutions;
pub mod cuda;
mod device;
mod device_error;
mod formulas;
mod geometry;
mod gpu;
mod kernels;
mod native;
mod numerics;
mod operations;
mod parts;
pub mod reference;
mod resampling;
mod slot;
mod tape;
#[expect(clippy::module_inception, reason = "the tensor is the main type of the module")]
mod tensor;
#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use backend::{Backend, Moments};
pub use convolutions::Convolutions;
pub use device::DeviceMemory;
pub use device_error::{DeviceError, OpResult};
pub use geometry::Conv2d;
pub use gpu::Gpu;
pub use kernels::{FrozenBuffers, Kernels, NormBuffers, NormGradients, NormalisedBuffers, Sum, Update, UpdateRule};
pub use native::Native;
pub use numerics::Numerics;
pub(crate) use parts::StepPart;
pub use resampling::Resampling;
pub use tape::Gradients;
pub use tensor::{
    BatchStatistics, Features, GradientNorms, Norm, Normalised, Recorded, Rows, Scalar, Tape, Tensor, Vector,
};
