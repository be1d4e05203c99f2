//! Arrays of Slurm jobs that work on a sweep, and nodes that get no more workers.

use serde::Serialize;

use super::row::row;
use super::sql::sql;
use super::{NOW, Store, StoreError, since};

row! {
    /// An array of jobs that was submitted for a sweep.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SlurmArray {
        /// Number of the array.
        pub job: String,
        /// Name of its jobs. Slurm may use a number again; number and name identify the array.
        pub name: String,
        /// Its tasks, as `sbatch --array` takes them.
        pub tasks: String,
        /// Time of the submission, UTC.
        pub submitted_at: String,
    }
}

/// Number of workers that stop in a row because of their machine, after which a host gets no more workers of the sweep.
pub const MAX_BROKEN_WORKERS: usize = 2;

/// Seconds after which a host gets workers again.
const DAY: i64 = 86_400;

impl Store {
    /// Records an array of jobs of a sweep.
    pub async fn record_array(&self, sweep: &str, job: &str, name: &str, tasks: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql(format!(
            "INSERT INTO slurm_arrays (sweep_id, job, name, tasks, submitted_at)
             VALUES ((SELECT id FROM sweeps WHERE key = $1), $2, $3, $4, {NOW})"
        ))
        .bind(sweep)
        .bind(job)
        .bind(name)
        .bind(tasks)
        .execute(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Returns the arrays of a sweep, the oldest first.
    pub async fn slurm_arrays(&self, sweep: &str) -> Result<Vec<SlurmArray>, StoreError> {
        sql("SELECT job, name, tasks, submitted_at FROM slurm_arrays
             WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1) ORDER BY submitted_at, job")
        .bind(sweep)
        .all(self)
        .await
    }

    /// Returns the hosts whose last [`MAX_BROKEN_WORKERS`] workers of the sweep all stopped because of their machine, within the last day.
    pub async fn broken_hosts(&self, sweep: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String, bool)> = sql(format!(
            "SELECT host, broken FROM workers WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND {age} < {DAY}
             ORDER BY host, stopped_at DESC, id DESC",
            age = since("stopped_at"),
        ))
        .bind(sweep)
        .all(self)
        .await?;
        let of_hosts = rows.chunk_by(|(one, _), (other, _)| one == other);
        let is_broken = |workers: &&[(String, bool)]| {
            workers.len() >= MAX_BROKEN_WORKERS && workers[..MAX_BROKEN_WORKERS].iter().all(|(_, broken)| *broken)
        };
        Ok(of_hosts.filter(is_broken).map(|workers| workers[0].0.clone()).collect())
    }

    /// Records that the worker of an attempt was asked to stop. If it is killed before it stops, the attempt was interrupted, not failed.
    pub async fn stops_soon(&self, token: &str) -> Result<(), StoreError> {
        let mut tx = self.write_relaxed().await?;
        sql("UPDATE attempts SET stopping = 1 WHERE token = $1").bind(token).execute(&mut tx).await?;
        tx.commit().await
    }
}
