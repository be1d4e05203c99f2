//! Pruners: decide which trials to stop early.

mod asha;
mod median;
mod progress;
mod wilcoxon;

pub use progress::{TrialProgress, TrialState, prune};
