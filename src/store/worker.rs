//! Records of workers, and events for people to read later.

use serde::Serialize;

use super::row::row;
use super::sql::sql;
use super::{AttemptStart, NOW, Store, StoreError, since, title};
use crate::stages::StageKind;

row! {
    /// A worker that has not stopped.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct WorkerRow {
        /// Id of the worker.
        pub id: String,
        /// Host of the worker.
        pub host: String,
        /// Slurm job of the worker.
        pub job: Option<String>,
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
    /// Records that a worker starts, in a Slurm job if there is one.
    pub async fn worker_starts(
        &self,
        sweep: &str,
        worker: &AttemptStart,
        job: Option<String>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql(format!(
            "INSERT INTO workers (id, sweep_id, host, pid, process_started, device, threads, job, started_at, seen_at)
             VALUES ($1, (SELECT id FROM sweeps WHERE key = $2), $3, $4, $5, $6, $7, $8, {NOW}, {NOW})"
        ))
        .bind(&worker.worker)
        .bind(sweep)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(worker.threads as i64)
        .bind(job)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records that a worker stopped or was found dead. `broken` says that its machine is the reason.
    pub async fn worker_stops(&self, worker: &str, reason: &str, broken: bool) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql(format!(
            "UPDATE workers SET stopped_at = {NOW}, reason = $1, broken = $2 WHERE id = $3 AND stopped_at IS NULL"
        ))
        .bind(reason)
        .bind(broken)
        .bind(worker)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Returns how many stages run on a host, whatever their sweep, and how many threads their workers have.
    pub async fn busy_threads(&self, host: &str) -> Result<BusyThreads, StoreError> {
        let (stages, threads): (i64, i64) = sql(
            "SELECT COUNT(*), CAST(COALESCE(SUM(threads), 0) AS BIGINT) FROM attempts WHERE state = 'running' AND host = $1",
        )
        .bind(host)
        .one(self)
        .await?;
        Ok(BusyThreads { stages: stages.max(0) as usize, threads: threads.max(0) as usize })
    }

    /// Returns the workers of a sweep that have not stopped, as far as the store knows.
    pub async fn workers(&self, sweep: &str) -> Result<Vec<WorkerRow>, StoreError> {
        sql(format!(
            "SELECT w.id, w.host, w.job, w.pid, w.process_started, w.device, w.threads, w.seen_at, s.key AS stage, s.kind,
                    {spent} AS seconds, a.log,
                    {title} AS title
             FROM workers w LEFT JOIN attempts a ON a.worker = w.id AND a.state = 'running'
             LEFT JOIN stages s ON s.id = a.stage_id
             LEFT JOIN sweep_stages q ON q.stage_id = s.id AND q.sweep_id = w.sweep_id
             WHERE w.sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND w.stopped_at IS NULL ORDER BY w.started_at",
            spent = since("a.started_at"),
            title = title::of_first_run("1 = 1"),
        ))
        .bind(sweep)
        .all(self)
        .await
    }

    /// Returns the workers of all sweeps that have not stopped.
    pub async fn all_workers(&self) -> Result<Vec<PresentWorker>, StoreError> {
        sql("SELECT id, host, pid, process_started FROM workers WHERE stopped_at IS NULL").all(self).await
    }

    /// Records an event for people to read later.
    pub async fn record_event(&self, sweep: &str, kind: &str, message: &str) -> Result<(), StoreError> {
        self.record_event_if("1 = 1", sweep, kind, message).await
    }

    /// Records an event unless the sweep already has an equal one.
    pub async fn record_event_once(&self, sweep: &str, kind: &str, message: &str) -> Result<(), StoreError> {
        let new = "NOT EXISTS (SELECT 1 FROM event WHERE kind = $1 AND sweep_id = $2 AND message = $3)";
        self.record_event_if(new, sweep, kind, message).await
    }

    async fn record_event_if(&self, condition: &str, sweep: &str, kind: &str, message: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql(format!("INSERT INTO event (at, kind, sweep_id, message) SELECT {NOW}, $1, $2, $3 WHERE {condition}"))
            .bind(kind)
            .bind(sweep)
            .bind(message)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
