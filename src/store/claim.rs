//! Taking a stage, keeping it, and taking back what the dead left.

use sqlx::FromRow;

use super::{AttemptStart, NOW, Store, StoreError, settle};
use crate::plan::{Key, StageJob};

/// Seconds that a claim lasts without a heartbeat.
const LEASE_SECONDS: u32 = 60;

/// A stage that this worker holds.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its key.
    pub stage: Key,
    /// What to do.
    pub job: StageJob,
    /// The lease's fencing token: the attempt's id.
    pub token: String,
    /// Counts from 1.
    pub attempt: i64,
    /// The run for whose sake it was claimed: "category · variant · seed n".
    pub title: String,
}

#[derive(FromRow)]
struct Candidate {
    id: String,
    job: String,
    attempts: i64,
    category: String,
    variant: String,
    seed: i64,
}

#[derive(FromRow)]
struct Held {
    id: String,
    stage_id: String,
    host: String,
    pid: i64,
    process_started: Option<String>,
    expired: i64,
}

impl Store {
    /// Claims the next stage of a sweep whose dependencies are done; none if there is none now.
    ///
    /// The order is that of the runs, so that whole runs finish early.
    pub async fn claim(&self, sweep: &str, worker: &AttemptStart) -> Result<Option<Claim>, StoreError> {
        let mut tx = self.write().await?;
        let candidate: Option<Candidate> = sqlx::query_as(
            "SELECT s.id, s.job, s.attempts, r.category, st.variant, r.seed
             FROM sweep_run sr
             JOIN run r ON r.id = sr.run_id AND r.state NOT IN ('cancelled', 'pruned')
             JOIN run_stage rs ON rs.run_id = r.id
             JOIN stage s ON s.id = rs.stage_id AND s.state = 'pending'
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ? AND NOT EXISTS (
                 SELECT 1 FROM stage_dependency d JOIN stage n ON n.id = d.needs_id
                 WHERE d.stage_id = s.id AND n.state <> 'done')
             ORDER BY sr.position, rs.position LIMIT 1",
        )
        .bind(sweep)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(candidate) = candidate else { return Ok(None) };
        // Before the claim is committed: a job that cannot be read must not be held by anyone.
        let job = serde_json::from_str(&candidate.job).map_err(|error| StoreError::Row(error.to_string()))?;
        let token = uuid::Uuid::now_v7().to_string();
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE stage SET state = 'running', token = ?, attempts = attempts + 1, reason = NULL, failure_class = NULL,
                 lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{LEASE_SECONDS} seconds') WHERE id = ?"
        )))
        .bind(&token)
        .bind(&candidate.id)
        .execute(&mut *tx)
        .await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO attempt (id, stage_id, number, worker, host, pid, process_started, device, threads, version, state, started_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', {NOW})"
        )))
        .bind(&token)
        .bind(&candidate.id)
        .bind(candidate.attempts + 1)
        .bind(&worker.worker)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(worker.threads as i64)
        .bind(env!("CARGO_PKG_VERSION"))
        .execute(&mut *tx)
        .await?;
        settle::runs_of_stage(&mut tx, &candidate.id).await?;
        tx.commit().await?;
        Ok(Some(Claim {
            stage: Key::from_hex(candidate.id),
            job,
            token,
            attempt: candidate.attempts + 1,
            title: format!("{} · {} · seed {}", candidate.category, candidate.variant, candidate.seed),
        }))
    }

    /// Renews a lease; false if it is no longer ours.
    pub async fn renew(&self, claim: &Claim) -> Result<bool, StoreError> {
        let done = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE stage SET lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{LEASE_SECONDS} seconds')
             WHERE id = ? AND token = ?"
        )))
        .bind(claim.stage.as_str())
        .bind(&claim.token)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives back the stages whose worker is gone: on this host by its process, elsewhere by its lease.
    ///
    /// `alive` tells whether a process with this id and start time runs here. Returns how many were given back.
    pub async fn reap(&self, host: &str, alive: impl Fn(u32, Option<&str>) -> bool) -> Result<usize, StoreError> {
        let held: Vec<Held> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT a.id, a.stage_id, a.host, a.pid, a.process_started,
                    CASE WHEN s.lease_until < {NOW} THEN 1 ELSE 0 END AS expired
             FROM stage s JOIN attempt a ON a.id = s.token WHERE s.state = 'running'"
        )))
        .fetch_all(&self.pool)
        .await?;
        let gone = |held: &Held| match held.host == host {
            true => !alive(held.pid as u32, held.process_started.as_deref()),
            false => held.expired == 1,
        };
        let mut count = 0;
        for held in held.iter().filter(|held| gone(held)) {
            let mut tx = self.write().await?;
            let freed = sqlx::query(
                "UPDATE stage SET state = 'pending', token = NULL, lease_until = NULL, reason = 'its worker was gone'
                 WHERE id = ? AND token = ? AND state = 'running'",
            )
            .bind(&held.stage_id)
            .bind(&held.id)
            .execute(&mut *tx)
            .await?;
            if freed.rows_affected() == 1 {
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "UPDATE attempt SET state = 'lost', failure_class = 'signal', reason = 'the worker process was gone',
                         finished_at = {NOW} WHERE id = ?"
                )))
                .bind(&held.id)
                .execute(&mut *tx)
                .await?;
                settle::limit_attempts(&mut tx, &held.stage_id).await?;
                settle::runs_of_stage(&mut tx, &held.stage_id).await?;
                count += 1;
            }
            tx.commit().await?;
        }
        Ok(count)
    }

    /// Stages of the sweep that are pending or running: while there are any, a worker waits.
    pub async fn open_stages(&self, sweep: &str) -> Result<i64, StoreError> {
        let (open,): (i64,) = sqlx::query_as(
            "SELECT COUNT(DISTINCT s.id) FROM sweep_run sr
             JOIN run r ON r.id = sr.run_id AND r.state NOT IN ('cancelled', 'pruned')
             JOIN run_stage rs ON rs.run_id = r.id
             JOIN stage s ON s.id = rs.stage_id WHERE sr.sweep_id = ? AND s.state IN ('pending', 'running')",
        )
        .bind(sweep)
        .fetch_one(&self.pool)
        .await?;
        Ok(open)
    }
}
