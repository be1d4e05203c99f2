//! The operations, composed of dfdx's own public ones, on any of its devices.
//!
//! Each operation is one entry on the tape. Its forward and its backward pass use dfdx's forward operations on tensors without tape.
//! Nothing therefore depends on dfdx's own gradients: their scattering kernels sum in any order, and they keep the gradient of every
//! intermediate tensor to the end. A fused kernel can also replace an operation.
//!
//! Operations of dfdx that compile at run time are not used: concatenating, stacking, copying a view to a contiguous tensor, converting
//! types.

mod activation;
mod batch_norm;
mod clip;
mod concat;
mod conv2d;
mod conv_transpose;
#[cfg(test)]
mod cpu;
mod device;
mod elementwise;
mod gradient_buffer;
mod losses;
mod max_pool;
mod pattern;
mod resample;
mod rows;
mod sums;
mod tap_pair;
mod transfer;

pub(super) use activation::{gelu, leaky_relu};
pub(super) use batch_norm::{frozen as batch_norm_frozen, train as batch_norm_train};
pub(super) use clip::clip_gradients;
pub(super) use concat::concat;
pub(super) use conv_transpose::conv_transpose2x2;
pub(super) use conv2d::conv2d;
#[cfg(test)]
pub(crate) use cpu::ComposedCpu;
pub use device::{ComposedDevice, DeviceCache};
pub(super) use elementwise::{add, relu, scale};
pub(super) use losses::{distance_map, mean_squared_error, similarity, smooth_l1};
pub(super) use max_pool::max_pool;
pub(super) use resample::resample;
pub(super) use sums::{average, detach, track, weighted_sum};
pub(super) use transfer::{gather, keep, upload};
