//! didact's own CPU kernels.
//!
//! Every reduction has a fixed shape and every element has one writer. Results therefore have the same bits for any number of threads.

mod activation;
mod backend;
mod blocks;
mod by_channels;
mod clip;
mod concat;
mod conv2d;
mod elementwise;
mod gemm;
mod im2row;
mod losses;
mod max_pool;
mod norm;
mod optimiser;
mod output;
mod resample;
mod scratch;
mod simd;
mod values;
mod winograd;

pub use backend::Native;

use super::geometry::Nhwc;
