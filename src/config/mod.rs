//! Reads the sweep file into a tree with spans, reports all errors at once, and resolves the tree into a [`Sweep`].

mod axis;
mod baseline;
mod decide;
mod describe;
mod entry;
mod load;
mod objective;
mod page;
mod preset;
mod pruner;
mod report;
mod scale;
mod schema;
mod search;
mod space;
mod strategy;
mod sweep;
mod trial;
mod when;

pub(crate) use axis::assemble;
#[cfg(test)]
pub(crate) use axis::tests as axis_tests;
pub use axis::{Axis, Condition, Coordinate, Domain, Point};
pub use baseline::{Baseline, Rerun};
pub use decide::DecideSettings;
pub use load::{Draft, SWEEP_NAME, SweepSource, is_sweep_name, read};
pub use objective::Objective;
pub use page::page;
pub use preset::MetricPreset;
pub use pruner::{AshaSettings, MedianSettings, Pruner, WilcoxonSettings};
pub use report::ReportSettings;
pub use schema::schema;
pub use search::SearchSettings;
pub(crate) use space::digest;
pub use space::{BASELINE, Space};
pub use strategy::{Draws, Strategy};
pub use sweep::{Confirmation, MAX_AXES, MAX_POINTS, MAX_RUNS, Sweep, SweepTrial, short_name};
pub use trial::Trial;

pub use crate::settings::{ConfigErrors, similar_name};
