//! Who works: workers that are there, and why others left; events that a person should find later.

use crate::stages::StageKind;
use serde::Serialize;

use super::row::row;
use super::{AttemptStart, NOW, Store, StoreError, since};

row! {
    /// A worker that has not left.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct WorkerRow {
        /// Its id.
        pub id: String,
        /// Its machine.
        pub host: String,
        /// Its process.
        pub pid: i64,
        /// When that process started; see [`super::AttemptStart`].
        #[serde(skip)]
        pub process_started: Option<String>,
        /// "cpu", "cuda:0".
        pub device: String,
        /// Threads.
        pub threads: i64,
        /// When it was seen last.
        pub seen_at: String,
        /// The stage that it holds.
        pub stage: Option<String>,
        /// Its kind.
        pub kind: Option<StageKind>,
        /// Seconds since it was claimed.
        pub seconds: Option<f64>,
        /// The attempt's log, below the artifacts folder.
        pub log: Option<String>,
        /// The run for whose sake it works, one of possibly many.
        pub title: Option<String>,
    }
}

row! {
    /// A worker that has not left: which process it is.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PresentWorker {
        /// Its id.
        pub id: String,
        /// Its machine.
        pub host: String,
        /// Its process.
        pub pid: i64,
        /// When that process started.
        pub process_started: Option<String>,
    }
}

impl Store {
    /// A worker begins.
    pub async fn worker_starts(&self, sweep: &str, worker: &AttemptStart) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO worker (id, sweep_id, host, pid, process_started, device, threads, started_at, seen_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, {NOW}, {NOW})"
        )))
        .bind(&worker.worker)
        .bind(sweep)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(worker.threads as i64)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// A worker leaves, or was found dead.
    pub async fn worker_stops(&self, worker: &str, reason: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE worker SET stopped_at = {NOW}, reason = ? WHERE id = ? AND stopped_at IS NULL"
        )))
        .bind(reason)
        .bind(worker)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Workers of a sweep that have not left, as far as the store knows.
    pub async fn workers(&self, sweep: &str) -> Result<Vec<WorkerRow>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT w.id, w.host, w.pid, w.process_started, w.device, w.threads, w.seen_at, a.stage_id AS stage, s.kind,
                    {spent} AS seconds, a.log,
                    (SELECT r.category || ' · ' || st.title || ' · seed ' || r.seed
                     FROM run_stage rs JOIN run r ON r.id = rs.run_id
                     JOIN sweep_run sr ON sr.run_id = r.id AND sr.sweep_id = w.sweep_id
                     JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
                     WHERE rs.stage_id = a.stage_id ORDER BY sr.position LIMIT 1) AS title
             FROM worker w LEFT JOIN attempt a ON a.worker = w.id AND a.state = 'running'
             LEFT JOIN stage s ON s.id = a.stage_id
             WHERE w.sweep_id = ? AND w.stopped_at IS NULL ORDER BY w.started_at",
            spent = since("a.started_at"),
        )))
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Workers of every sweep that have not left.
    pub async fn all_workers(&self) -> Result<Vec<PresentWorker>, StoreError> {
        Ok(sqlx::query_as("SELECT id, host, pid, process_started FROM worker WHERE stopped_at IS NULL")
            .fetch_all(&self.pool)
            .await?)
    }

    /// Something that a person should find later.
    pub async fn tell(&self, sweep: &str, kind: &str, message: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO event (at, kind, sweep_id, message) VALUES ({NOW}, ?, ?, ?)"
        )))
        .bind(kind)
        .bind(sweep)
        .bind(message)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
