//! Differentiable operations on dfdx tensors.
//!
//! dfdx 0.13 has no convolution, transposed convolution or pooling on stable Rust, so the operations that the models need
//! live here, hung on dfdx's own tape: as own CPU kernels ([`Native`]), and composed of what dfdx has on every device
//! ([`Composed`]). Tensors are NHWC.

mod activation;
mod backend;
mod composed;
mod geometry;
mod gpu;
mod native;
mod numerics;
mod parts;
#[cfg(any(test, feature = "cuda"))]
pub mod reference;
mod resampling;
#[cfg(test)]
mod tests;

pub use activation::Activation;
pub(crate) use backend::to_host;
pub use backend::{
    Backend, BatchStatistics, DeviceMemory, Features, GradientNorms, Gradients, Norm, Normalised, OpResult, Recorded,
    Rows, Scalar, Vector,
};
#[cfg(feature = "cuda")]
pub use composed::cuda;
pub use composed::{Composed, Kept, Place};
pub use geometry::Conv2d;
pub use gpu::Gpu;
pub use native::Native;
pub use numerics::Numerics;
pub(crate) use parts::Part;
pub use resampling::Resampling;
