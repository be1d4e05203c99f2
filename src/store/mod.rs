//! The database, behind one door: SQL lives here and nowhere else.

mod artifacts;
mod attempt;
mod claim;
mod error;
mod explain;
mod open;
mod results;
mod settle;
mod status;
mod write_plan;

pub use artifacts::Artifacts;
pub use attempt::{AttemptEnd, AttemptStart, FailureClass};
pub use claim::Claim;
pub use error::StoreError;
pub use explain::{Explanation, StageExplanation};
pub use open::{Access, Store};
pub use results::{Curve, ResultRow, RunRow, StageRow, SweepRow};
pub use status::{Failure, RunStates, StageCount, SweepStatus};
pub use write_plan::PlanOutcome;

/// The database's clock, UTC, as text that sorts.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
