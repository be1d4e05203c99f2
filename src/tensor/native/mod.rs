//! didact's own CPU kernels on dfdx's tape.
//!
//! Every reduction has a fixed shape and every element has one writer. Results therefore have the same bits for any number of threads.

mod activation;
mod backend;
mod batch_norm;
mod by_channels;
mod clip;
mod concat;
mod conv2d;
mod conv_norm;
mod conv_transpose;
mod elementwise;
mod from_vec;
mod gemm;
mod host_copy;
mod im2row;
mod losses;
mod max_pool;
mod norm;
mod resample;
mod scratch;
mod simd;
mod target;
mod winograd;
mod zeroed;

pub use backend::Native;
use from_vec::tensor;

use super::geometry::Nhwc;
