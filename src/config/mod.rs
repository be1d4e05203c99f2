//! The sweep file: a tree with spans, read and checked with all errors at once, resolved into a [`Sweep`].

mod axis;
mod data;
mod entry;
mod joint;
mod load;
mod networks;
mod objective;
mod problem;
mod reader;
mod resolve;
mod scale;
mod search;
mod space;
mod sweep;
mod tree;
mod when;

pub(crate) use axis::assemble;
#[cfg(test)]
pub(crate) use axis::tests as axis_tests;
pub use axis::{Axis, Condition, Coordinate, Domain, Point};
pub use load::{Draft, SWEEP_NAME, Source, is_sweep_name, read};
pub use objective::Objective;
pub use problem::{ConfigErrors, Located, Place, Problem};
pub use reader::near;
pub use space::Space;
pub(crate) use space::digest;
pub use sweep::{
    Baseline, MAX_AXES, MAX_POINTS, MAX_RUNS, Pruner, ReportSettings, Rerun, SearchSettings, Strategy, Sweep,
    SweepTrial, Trial, short_name,
};
