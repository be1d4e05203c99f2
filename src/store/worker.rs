//! Records of workers, and events for people to read later.

use serde::Serialize;

use super::row::row;
use super::{AttemptStart, NOW, Store, StoreError, since};
use crate::stages::StageKind;

row! {
    /// A worker that has not stopped.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct WorkerRow {
        /// Id of the worker.
        pub id: String,
        /// Host of the worker.
        pub host: String,
        /// Process id of the worker.
        pub pid: i64,
        /// Start time of that process; see [`super::AttemptStart`].
        #[serde(skip)]
        pub process_started: Option<String>,
        /// Device, for example `cpu` or `cuda:0`.
        pub device: String,
        /// Number of threads.
        pub threads: i64,
        /// Time of its last heartbeat, UTC.
        pub seen_at: String,
        /// Key of the stage that it holds.
        pub stage: Option<String>,
        /// Kind of that stage.
        pub kind: Option<StageKind>,
        /// Seconds since it claimed the stage.
        pub seconds: Option<f64>,
        /// Path of the attempt's log, below the artifacts folder.
        pub log: Option<String>,
        /// Title of one of the runs that need the stage.
        pub title: Option<String>,
    }
}

row! {
    /// The process of a worker that has not stopped.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PresentWorker {
        /// Id of the worker.
        pub id: String,
        /// Host of the worker.
        pub host: String,
        /// Process id of the worker.
        pub pid: i64,
        /// Start time of that process.
        pub process_started: Option<String>,
    }
}

/// Running stages of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusyThreads {
    /// Number of stages.
    pub stages: usize,
    /// Number of threads of their workers.
    pub threads: usize,
}

impl Store {
    /// Records that a worker starts.
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

    /// Records that a worker stopped or was found dead.
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

    /// Returns how many stages run on a host, whatever their sweep, and how many threads their workers have.
    pub async fn busy_threads(&self, host: &str) -> Result<BusyThreads, StoreError> {
        let (stages, threads): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COALESCE(SUM(threads), 0) FROM attempt WHERE state = 'running' AND host = ?",
        )
        .bind(host)
        .fetch_one(&self.pool)
        .await?;
        Ok(BusyThreads { stages: stages.max(0) as usize, threads: threads.max(0) as usize })
    }

    /// Returns the workers of a sweep that have not stopped, as far as the store knows.
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

    /// Returns the workers of all sweeps that have not stopped.
    pub async fn all_workers(&self) -> Result<Vec<PresentWorker>, StoreError> {
        Ok(sqlx::query_as("SELECT id, host, pid, process_started FROM worker WHERE stopped_at IS NULL")
            .fetch_all(&self.pool)
            .await?)
    }

    /// Records an event for people to read later.
    pub async fn record_event(&self, sweep: &str, kind: &str, message: &str) -> Result<(), StoreError> {
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
