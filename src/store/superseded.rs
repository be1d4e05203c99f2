//! Detects that another process has changed or deleted the sweep that this process runs.

use super::sql::sql;
use super::{Store, StoreError};

/// Status of the plan that a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStatus {
    /// The plan is still the sweep's current plan.
    Current,
    /// Another process has planned the sweep differently.
    Superseded {
        /// Time of the new plan, UTC.
        at: String,
        /// File from which the new plan was made.
        origin: String,
    },
    /// The sweep was deleted.
    Deleted,
}

impl Store {
    /// Compares a plan with the current plan of the sweep.
    pub async fn plan_status(&self, sweep: &str, plan: &str) -> Result<PlanStatus, StoreError> {
        let row: Option<(String, String, String)> =
            sql("SELECT plan, origin, updated_at FROM sweeps WHERE key = $1").bind(sweep).optional(self).await?;
        Ok(match row {
            None => PlanStatus::Deleted,
            Some((now, ..)) if now == plan => PlanStatus::Current,
            Some((_, origin, at)) => PlanStatus::Superseded { at, origin },
        })
    }

    /// Returns the id of a sweep's last event, so that the caller can ask for later events.
    pub async fn last_event(&self, sweep: &str) -> Result<i64, StoreError> {
        let last: Option<i64> = sql("SELECT MAX(id) FROM event WHERE sweep_id = $1").bind(sweep).value(self).await?;
        Ok(last.unwrap_or(0))
    }

    /// Returns the refused starts of other files with the same sweep name, after a given event.
    pub async fn refused_since(&self, sweep: &str, event: i64) -> Result<Vec<(i64, String)>, StoreError> {
        sql("SELECT id, message FROM event WHERE sweep_id = $1 AND kind = 'refused' AND id > $2 ORDER BY id")
            .bind(sweep)
            .bind(event)
            .all(self)
            .await
    }
}
