//! The database. All SQL of didact is in this module.

mod artifacts;
mod attempt;
mod backup;
mod cancel;
mod check;
mod claim;
mod collect;
mod compared;
mod copy;
mod error;
mod estimate;
mod explain;
mod exported;
mod filesystem;
mod gone;
mod heal;
mod lease;
mod leave;
mod log;
mod manifest;
mod migrate;
mod notice;
mod open;
mod origin;
mod ownership;
mod places;
mod plan_change;
mod plan_rows;
mod results;
mod retrying;
mod row;
mod run_stages;
mod schema;
mod search;
mod search_status;
mod settle;
mod sqlite;
mod state;
mod status;
mod superseded;
mod sweeps;
mod worker;
mod write_plan;

pub use artifacts::{Artifacts, Published, intact};
pub use attempt::AttemptStart;
pub use cancel::Named;
pub use check::{Found, Severity};
pub use claim::{Claim, Wanted};
pub use collect::{Collected, Garbage};
pub use compared::{Compared, ComparedRun, ComparedScore, ComparedStage, ComparedValue};
pub use error::{SqlFailure, StoreError};
pub use estimate::Rates;
pub use explain::{AttemptRow, Explanation, RunFacts, StageExplanation};
pub use exported::CostRow;
pub use gone::HeldStage;
pub use heal::Standing;
pub use lease::Held;
pub use leave::close_all;
pub use manifest::{Damage, Look};
pub use notice::listen;
pub use open::{Access, Store, path_of};
pub use origin::PlanSource;
pub use plan_change::PlanChange;
pub use results::{Curve, ResultRow, RunRow, RunStage, StageRow, SweepRow};
pub use retrying::Retrying;
pub use run_stages::RunStages;
pub use search::{RunStanding, TrialStanding};
pub use search_status::{BestTrial, SearchStatus};
pub use state::{AttemptEnd, AttemptState, Failed, FailureClass, Retry, RunState, StageState, StageStatus};
pub use status::{Event, Failure, RunCounts, RunStates, StageCount, SweepStatus};
pub use superseded::PlanStanding;
pub use sweeps::{Deleted, Listed};
pub use worker::{PresentWorker, WorkerRow};
pub use write_plan::{PlanOutcome, StoredTrial};

/// Current time of the database's clock in UTC, as text that sorts by time.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// SQL for the seconds since the time in a column, by the database's clock. The result is 0 if the clock was set back.
fn since(column: &str) -> String {
    format!("MAX(0.0, (julianday('now') - julianday({column})) * 86400.0)")
}

/// SQL for the time `seconds` from now, by the database's clock.
fn later(seconds: f64) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds:.3} seconds')")
}
