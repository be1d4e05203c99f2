//! A run with the jobs of its stages.

use super::row::row;
use super::sql::sql;
use super::state::SHOWN_STATE;
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
        let RunColumns { id, category, variant, seed, state, reason } = sql(format!(
            "SELECT r.key AS id, r.category, r.seed, {SHOWN_STATE} AS state, r.reason,
                    COALESCE((SELECT st.variant FROM sweep_trials st JOIN sweeps w ON w.id = st.sweep_id
                              WHERE st.trial_id = r.trial_id ORDER BY w.key LIMIT 1), t.key) AS variant
             FROM runs r JOIN trials t ON t.id = r.trial_id WHERE r.key = $1"
        ))
        .bind(run)
        .one(self)
        .await?;
        let stages = sql(
            "SELECT s.key, j.job FROM runs r JOIN run_stages rs ON rs.run_id = r.id JOIN stages s ON s.id = rs.stage_id
             JOIN stage_jobs j ON j.stage_id = s.id WHERE r.key = $1 ORDER BY rs.position",
        )
        .bind(run)
        .all(self)
        .await?;
        Ok(RunStages { id, category, variant, seed, state, reason, stages })
    }
}
