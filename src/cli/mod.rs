//! The command line: one verb a file.

mod args;
mod cancel;
mod data;
mod exit;
mod global;
mod output;
mod report;
mod signals;
mod status;
mod sweep;
mod weights;
mod why;
mod worker;

pub use args::main;
