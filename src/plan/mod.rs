//! Expands the trials of a sweep into runs and stages.

mod build;
mod error;
mod identity;
mod opened;
mod planned;
mod protocol;
#[cfg(test)]
mod tests;
mod title;

pub use build::{Planner, build};
pub use error::PlanError;
pub use identity::identity;
pub use planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
pub use title::{trial_id, trial_number, trial_settings, trial_title};
