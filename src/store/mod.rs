//! The database, behind one door: SQL lives here and nowhere else.

mod artifacts;
mod attempt;
mod cancel;
mod claim;
mod collect;
mod compared;
mod error;
mod estimate;
mod explain;
mod exported;
mod filesystem;
mod gone;
mod lease;
mod open;
mod places;
mod plan_change;
mod plan_rows;
mod results;
mod retrying;
mod row;
mod run_stages;
mod search;
mod settle;
mod state;
mod status;
mod worker;
mod write_plan;

pub use artifacts::Artifacts;
pub use attempt::AttemptStart;
pub use cancel::Named;
pub use claim::{Claim, Wanted};
pub use collect::{Collected, Garbage};
pub use compared::{Compared, ComparedRun, ComparedScore, ComparedStage, ComparedValue};
pub use error::StoreError;
pub use estimate::Rates;
pub use explain::{AttemptRow, Explanation, RunFacts, StageExplanation};
pub use exported::CostRow;
pub use gone::HeldStage;
pub use lease::Held;
pub use open::{Access, Store};
pub use plan_change::PlanChange;
pub use results::{Curve, ResultRow, RunRow, RunStage, StageRow, SweepRow};
pub use retrying::Retrying;
pub use run_stages::RunStages;
pub use search::{RunStanding, TrialStanding};
pub use state::{AttemptEnd, Failed, FailureClass, Retry, StageState};
pub use status::{Event, Failure, RunCounts, RunStates, StageCount, SweepStatus};
pub use worker::{PresentWorker, WorkerRow};
pub use write_plan::{PlanOutcome, PlanSource};

/// The database's clock, UTC, as text that sorts.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// Seconds since a time that a column holds, by the database's clock; none if it was set back meanwhile.
fn since(column: &str) -> String {
    format!("MAX(0.0, (julianday('now') - julianday({column})) * 86400.0)")
}

/// So many seconds from now, by the database's clock.
fn later(seconds: f64) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds:.3} seconds')")
}
