//! Tests of the built binary, one file a subject; one executable, so that the library is linked once.

mod cli;
mod common;
mod contention;
mod errors;
mod inventory;
mod processes;
mod pseudo;
mod real_data;
mod resume;
mod search;
mod sweep;
mod torture;
