//! The command line: one verb per file.

mod args;
mod ask;
mod bar;
mod baselines;
mod cancel;
mod check;
mod compare;
mod data;
mod delete;
mod destination;
mod devices;
mod export;
mod failure;
mod gc;
mod global;
mod list;
mod metrics;
mod output;
mod parse;
mod predict;
mod rename;
mod report;
mod schema;
mod signals;
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
