//! Whether what a process runs is still what the sweep is.

use super::{Store, StoreError};

/// What became of the plan that a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStanding {
    /// It is the sweep's.
    Current,
    /// Another process has planned the sweep otherwise.
    Superseded {
        /// When, UTC.
        at: String,
        /// From which file.
        origin: String,
    },
    /// The sweep was deleted.
    Deleted,
}

impl Store {
    /// Compares a plan with the one that the sweep has by now.
    pub async fn plan_standing(&self, sweep: &str, plan: &str) -> Result<PlanStanding, StoreError> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("SELECT plan, origin, updated_at FROM sweep WHERE id = ?")
                .bind(sweep)
                .fetch_optional(&self.pool)
                .await?;
        Ok(match row {
            None => PlanStanding::Deleted,
            Some((now, ..)) if now == plan => PlanStanding::Current,
            Some((_, origin, at)) => PlanStanding::Superseded { at, origin },
        })
    }

    /// The number of the last event of a sweep, so that later ones can be asked for.
    pub async fn last_event(&self, sweep: &str) -> Result<i64, StoreError> {
        let (last,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(id) FROM event WHERE sweep_id = ?").bind(sweep).fetch_one(&self.pool).await?;
        Ok(last.unwrap_or(0))
    }

    /// Starts of other files under a sweep's name that were refused after an event.
    pub async fn refused_since(&self, sweep: &str, event: i64) -> Result<Vec<(i64, String)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, message FROM event WHERE sweep_id = ? AND kind = 'refused' AND id > ? ORDER BY id",
        )
        .bind(sweep)
        .bind(event)
        .fetch_all(&self.pool)
        .await?)
    }
}
