//! The operations of [`super::Backend`]: each runs kernels and records its backward pass.

pub(super) mod convolution;
pub(super) mod elementwise;
pub(super) mod losses;
pub(super) mod normalisation;
pub(super) mod transfer;
