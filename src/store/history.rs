//! The history of a sweep's stages: their states and every attempt.

use super::row::row;
use super::sql::sql;
use super::{AttemptState, FailureClass, StageStatus, Store, StoreError};
use crate::stages::Key;

row! {
    /// The state of a stage.
    #[derive(Debug, Clone, PartialEq)]
    pub struct StageRecord {
        /// Key of the stage.
        pub id: Key,
        /// State.
        pub state: StageStatus,
        /// Why it failed or was skipped.
        pub reason: Option<String>,
    }
}

row! {
    /// One attempt of a stage.
    #[derive(Debug, Clone, PartialEq)]
    pub struct AttemptRecord {
        /// Key of the stage.
        pub stage_id: Key,
        /// Number of the attempt, from 1.
        pub number: i64,
        /// State.
        pub state: AttemptState,
        /// Failure class, if it failed.
        pub class: Option<FailureClass>,
        /// Reason of the failure, as text.
        pub reason: Option<String>,
        /// Host of the worker.
        pub host: String,
        /// Start time, UTC.
        pub started_at: String,
        /// End time, UTC.
        pub finished_at: Option<String>,
        /// Duration in seconds.
        pub seconds: Option<f64>,
        /// Path of its log, below the artifacts folder.
        pub log: Option<String>,
    }
}

impl Store {
    /// Returns the states of a sweep's stages.
    pub async fn stage_records(&self, sweep: &str) -> Result<Vec<StageRecord>, StoreError> {
        sql("SELECT s.key AS id, s.state, s.reason FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id
             WHERE ss.sweep_id = (SELECT id FROM sweeps WHERE key = $1)")
        .bind(sweep)
        .many(self)
        .await
    }

    /// Returns the attempts of a sweep's stages, in the order in which they started.
    pub async fn attempt_records(&self, sweep: &str) -> Result<Vec<AttemptRecord>, StoreError> {
        sql("SELECT s.key AS stage_id, a.number, a.state, a.failure_class AS class, a.reason, a.host, a.started_at, a.finished_at,
                    a.seconds, a.log
             FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id JOIN attempts a ON a.stage_id = s.id
             WHERE ss.sweep_id = (SELECT id FROM sweeps WHERE key = $1) ORDER BY a.started_at, a.id")
        .bind(sweep)
        .many(self)
        .await
    }

    /// Returns the keys and jobs (JSON) of a run's stages, in the order of execution.
    pub async fn jobs_of_run(&self, run: &str) -> Result<Vec<(Key, String)>, StoreError> {
        sql("SELECT s.key, j.job FROM runs r JOIN run_stages rs ON rs.run_id = r.id JOIN stages s ON s.id = rs.stage_id
             JOIN stage_jobs j ON j.stage_id = s.id WHERE r.key = $1 ORDER BY rs.position")
        .bind(run)
        .all(self)
        .await
    }
}
