//! The sweep file: a tree with spans, read and checked with all errors at once, resolved into [`crate::plan::Sweep`].

mod axis;
mod data;
mod joint;
mod load;
mod networks;
mod problem;
mod reader;
mod resolve;
mod search;
mod space;
#[cfg(test)]
mod tests;
mod tree;
mod when;

pub use load::{SWEEP_NAME, Source, is_sweep_name, load, load_at_most};
pub use problem::{Located, Place, Problem, SpecErrors};
pub use reader::near;
pub use space::{Proposal, Space};
