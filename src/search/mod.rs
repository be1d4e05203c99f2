//! Points of a search space, and which trials are worth going on with.

mod count;
mod extremes;
mod grid;
mod load;
mod observation;
mod proposal;
mod propose;
mod prune;
mod random;
mod sobol;
#[cfg(test)]
mod tests;
mod tpe;

pub use count::count;
pub use extremes::pairwise_extremes;
pub use load::{load, load_at_most};
pub use observation::{Observation, Outcome};
pub use proposal::{Proposal, propose_trial};
pub(crate) use propose::BARREN;
pub use propose::{draws, propose};
pub use prune::{Standing, TrialCourse, prune};
pub use tpe::STARTUP;
