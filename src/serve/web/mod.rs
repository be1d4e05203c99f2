//! Live pages in a browser.

mod curve;
mod folder;
mod guard;
mod live_run;
mod live_sweep;
mod page;
mod reader;
mod reports;
mod routes;
mod runs_page;
mod script;
mod server;
mod sweep_page;
mod sweeps_page;

pub use server::{ServeError, ServeOptions, serve};
