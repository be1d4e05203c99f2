//! Samples points of a search space, and decides which trials to stop.

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
pub use observation::{Observation, PointOutcome};
pub use proposal::{Proposal, propose_trial};
pub(crate) use propose::MAX_CONSECUTIVE_DUPLICATES;
pub use propose::{draws, propose};
pub use prune::{TrialProgress, TrialState, prune};
pub use tpe::STARTUP_TRIALS;
