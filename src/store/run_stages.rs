//! A run with the jobs of its stages.

use super::row::row;
use super::{RunState, Store, StoreError};

/// A run and its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStages {
    /// Key of the run.
    pub id: String,
    /// Category.
    pub category: String,
    /// Label of its trial in the first sweep that contains it, else the trial's key.
    pub variant: String,
    /// Seed.
    pub seed: i64,
    /// State.
    pub state: RunState,
    /// Reason why it failed, was pruned or was cancelled.
    pub reason: Option<String>,
    /// Key and job (JSON) of each stage, in order.
    pub stages: Vec<(String, String)>,
}

row! {
    struct RunColumns {
        id: String,
        category: String,
        variant: String,
        seed: i64,
        state: RunState,
        reason: Option<String>,
    }
}

impl Store {
    /// Returns a run by its key.
    pub async fn run_stages(&self, run: &str) -> Result<RunStages, StoreError> {
        let RunColumns { id, category, variant, seed, state, reason } = sqlx::query_as(
            "SELECT r.id, r.category, r.seed, r.state, r.reason,
                    COALESCE((SELECT st.variant FROM sweep_trial st WHERE st.trial_id = r.trial_id
                              ORDER BY st.sweep_id LIMIT 1), r.trial_id) AS variant
             FROM run r WHERE r.id = ?",
        )
        .bind(run)
        .fetch_one(&self.pool)
        .await?;
        let stages = sqlx::query_as(
            "SELECT s.id, s.job FROM run_stage rs JOIN stage s ON s.id = rs.stage_id WHERE rs.run_id = ? ORDER BY rs.position",
        )
        .bind(run)
        .fetch_all(&self.pool)
        .await?;
        Ok(RunStages { id, category, variant, seed, state, reason, stages })
    }
}
