//! The command line: one verb a file.

mod args;
mod cancel;
mod data;
mod exit;
mod gc;
mod global;
mod output;
mod parse;
mod report;
mod signals;
mod status;
mod steering;
mod sweep;
mod weights;
mod why;
mod worker;

pub use args::main;
