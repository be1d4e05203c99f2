//! Differentiable operations on dfdx tensors.
//!
//! dfdx 0.13 has no convolution, transposed convolution or pooling on stable Rust. This module therefore implements the operations that
//! the models need and records them on dfdx's own tape. On every device they are composed of dfdx's operations (the defaults of
//! [`Backend`]). On the CPU, didact has kernels of its own ([`Native`]). Tensors are NHWC.

mod activation;
mod backend;
mod composed;
#[cfg(feature = "cuda")]
pub mod cuda;
mod device;
mod device_failure;
mod formulas;
mod geometry;
mod gpu;
mod native;
mod numerics;
mod parts;
#[cfg(any(test, feature = "cuda"))]
pub mod reference;
mod resampling;
mod tape;
mod tensors;
#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use backend::{Backend, Features, Gradients, Normalised, OpResult, Recorded, Rows, Scalar, Vector};
#[cfg(test)]
pub(crate) use composed::ComposedCpu;
pub use composed::{ComposedDevice, DeviceCache};
pub(crate) use device::to_host;
pub use device::{DeviceMemory, TensorDevice};
pub use device_failure::DeviceFailure;
pub use geometry::Conv2d;
pub use gpu::Gpu;
pub use native::Native;
pub use numerics::Numerics;
pub(crate) use parts::StepPart;
pub use resampling::Resampling;
pub use tensors::{BatchStatistics, GradientNorms, Norm};
