//! Differentiable operations on dfdx tensors.
//!
//! dfdx 0.13 has no convolution, transposed convolution or pooling on stable Rust, so the operations that the models need
//! live here, hung on dfdx's own tape. Tensors are NHWC.

mod backend;
mod geometry;
mod native;
#[cfg(test)]
mod tests;

pub(crate) use backend::to_host;
pub use backend::{Backend, BatchStatistics, Features, Gradients, OpResult, Recorded, Scalar, Vector};
pub use geometry::Conv2d;
pub use native::Native;
