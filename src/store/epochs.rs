//! How many epochs the running stages of a sweep have finished.

use serde::Serialize;

use super::row::row;
use super::sql::sql;
use super::{Store, StoreError};
use crate::stages::StageJob;

/// Finished epochs of a running stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Epochs {
    /// Number of finished epochs.
    pub done: i64,
    /// Number of epochs that its settings ask for. Early stopping may end it before.
    pub total: usize,
}

row! {
    struct RunningStage {
        stage: String,
        job: String,
        done: Option<i64>,
    }
}

impl Store {
    /// Returns the epochs of a sweep's running stages, by the key of the stage. Other stages than training have none.
    pub async fn epochs(&self, sweep: &str) -> Result<Vec<(String, Epochs)>, StoreError> {
        let rows: Vec<RunningStage> = sql(
            // CROSS JOIN makes SQLite start from the few running stages.
            "SELECT s.key AS stage, j.job, (SELECT MAX(m.step) FROM metrics m WHERE m.stage_id = s.id) AS done
             FROM stages s CROSS JOIN stage_jobs j CROSS JOIN sweep_stages ss
             WHERE s.state = 'running' AND j.stage_id = s.id AND ss.stage_id = s.id
               AND ss.sweep_id = (SELECT id FROM sweeps WHERE key = $1)",
        )
        .bind(sweep)
        .all(self)
        .await?;
        let epochs = |RunningStage { stage, job, done }| {
            // Another version may have written a job that this one cannot read.
            let job: StageJob = serde_json::from_str(&job).ok()?;
            Some((stage, Epochs { done: done.unwrap_or(0), total: job.epochs()? }))
        };
        Ok(rows.into_iter().filter_map(epochs).collect())
    }
}
