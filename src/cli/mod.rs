//! The command line: one verb per file.

mod args;
mod ask;
mod bar;
mod baselines;
mod cancel;
#[cfg(feature = "cuda")]
mod check;
mod compare;
#[cfg(feature = "cuda")]
mod cuda;
mod data;
mod delete;
mod destination;
mod export;
mod failure;
mod gc;
mod global;
#[cfg(feature = "cuda")]
mod gpu;
mod list;
mod metrics;
mod output;
mod parse;
mod predict;
mod rename;
mod report;
mod schema;
mod signals;
#[cfg(feature = "cuda")]
mod speed;
mod start;
mod status;
mod steering;
mod store;
mod sweep;
mod sweep_args;
mod takeover;
mod weights;
mod why;
mod worker;

pub use args::main;
#[cfg(feature = "cuda")]
pub use cuda::main as cuda_main;
