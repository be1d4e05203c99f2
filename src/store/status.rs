//! What `didact status` tells.

use serde::Serialize;
use sqlx::FromRow;

use super::{Store, StoreError};

/// How many stages of a kind are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct StageCount {
    /// Kind of stage.
    pub kind: String,
    /// State.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// Runs of one category and variant, by state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct RunStates {
    /// Category.
    pub category: String,
    /// Variant.
    pub variant: String,
    /// State.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// A failed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Failure {
    /// The run's key.
    pub run: String,
    /// Category.
    pub category: String,
    /// Variant.
    pub variant: String,
    /// Seed.
    pub seed: i64,
    /// Stage, class and message.
    pub reason: Option<String>,
}

/// One sweep's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SweepStatus {
    /// Its name.
    pub name: String,
    /// Stages by kind and state.
    pub stages: Vec<StageCount>,
    /// Runs by category, variant and state.
    pub runs: Vec<RunStates>,
    /// Failed runs.
    pub failures: Vec<Failure>,
}

impl SweepStatus {
    /// Runs in a state.
    pub fn runs_in(&self, state: &str) -> i64 {
        self.runs.iter().filter(|row| row.state == state).map(|row| row.count).sum()
    }

    /// All runs.
    pub fn total_runs(&self) -> i64 {
        self.runs.iter().map(|row| row.count).sum()
    }
}

impl Store {
    /// Id and name of a sweep; without a name, of the one that was planned last.
    pub async fn find_sweep(&self, name: Option<&str>) -> Result<(String, String), StoreError> {
        let names: Vec<(String, String)> =
            sqlx::query_as("SELECT id, name FROM sweep ORDER BY updated_at DESC, name").fetch_all(&self.pool).await?;
        let found = match name {
            None => names.first(),
            Some(name) => names.iter().find(|(id, known)| known == name || id == name),
        };
        found.cloned().ok_or_else(|| StoreError::NoSweep {
            name: name.unwrap_or("(latest)").to_owned(),
            known: match names.is_empty() {
                true => "none yet".to_owned(),
                false => names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "),
            },
        })
    }

    /// The state of a sweep.
    pub async fn status(&self, sweep: &str, name: &str) -> Result<SweepStatus, StoreError> {
        let stages = sqlx::query_as(
            "SELECT kind, state, COUNT(*) AS count FROM stage WHERE id IN (
                 SELECT rs.stage_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE sr.sweep_id = ?)
             GROUP BY kind, state ORDER BY kind, state",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        let runs = sqlx::query_as(
            "SELECT r.category, st.variant, r.state, COUNT(*) AS count
             FROM sweep_run sr JOIN run r ON r.id = sr.run_id
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ? GROUP BY r.category, st.variant, r.state ORDER BY r.category, MIN(st.position), r.state",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        let failures = sqlx::query_as(
            "SELECT r.id AS run, r.category, st.variant, r.seed, r.reason
             FROM sweep_run sr JOIN run r ON r.id = sr.run_id
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ? AND r.state = 'failed' ORDER BY sr.position",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        Ok(SweepStatus { name: name.to_owned(), stages, runs, failures })
    }

    /// Cancels the runs of a sweep that are not over, but for those that another sweep wants, too; returns how many. Planning
    /// the sweep again revives them.
    pub async fn cancel(&self, sweep: &str) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE run SET state = 'cancelled', reason = 'cancelled by the user'
             WHERE state IN ('pending', 'running') AND id IN (SELECT run_id FROM sweep_run WHERE sweep_id = ?)
             AND NOT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = run.id AND o.sweep_id <> ?)",
        )
        .bind(sweep)
        .bind(sweep)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}
