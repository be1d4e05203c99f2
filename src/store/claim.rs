//! Taking a stage.

use sqlx::FromRow;

use super::{AttemptStart, NOW, Store, StoreError, later, settle};
use crate::plan::{Key, StageJob};

/// Seconds that a claim lasts without a heartbeat.
pub(super) const LEASE_SECONDS: f64 = 60.0;

/// Which stages of the store a worker may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Id of the sweep.
    pub sweep: String,
    /// One run or trial of it alone.
    pub only: Option<String>,
}

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
    beside: Option<i64>,
    category: String,
    variant: String,
    seed: i64,
    earlier: i64,
}

impl Store {
    /// Claims the next stage whose dependencies are done and whose pause is over; none if there is none now.
    ///
    /// The order is that of the runs, so that whole runs finish early. A stage that ran out of memory before waits until few
    /// enough others run on this host, and nothing overtakes it meanwhile: it would wait for ever.
    pub async fn claim(&self, wanted: &Wanted, worker: &AttemptStart) -> Result<Option<Claim>, StoreError> {
        let mut tx = self.write().await?;
        let candidate: Option<Candidate> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT s.id, s.job, s.beside, r.category, st.variant, r.seed,
                    (SELECT COUNT(*) FROM attempt a WHERE a.stage_id = s.id) AS earlier
             FROM sweep_run sr
             JOIN run r ON r.id = sr.run_id AND r.state NOT IN ('done', 'cancelled', 'pruned')
             JOIN run_stage rs ON rs.run_id = r.id
             JOIN stage s ON s.id = rs.stage_id AND s.state = 'pending'
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ? AND (? IS NULL OR r.id = ? OR r.trial_id = ?)
               AND (s.not_before IS NULL OR s.not_before <= {NOW} OR s.not_before > {too_late})
               AND NOT EXISTS (
                 SELECT 1 FROM stage_dependency d JOIN stage n ON n.id = d.needs_id
                 WHERE d.stage_id = s.id AND n.state <> 'done')
             ORDER BY sr.position, rs.position LIMIT 1",
            too_late = later(2.0 * super::state::MAX_BACK_OFF),
        )))
        .bind(&wanted.sweep)
        .bind(&wanted.only)
        .bind(&wanted.only)
        .bind(&wanted.only)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(candidate) = candidate else { return Ok(None) };
        let (running, allowed): (i64, Option<i64>) = sqlx::query_as(
            "SELECT COUNT(*), MIN(s.beside) FROM stage s JOIN attempt a ON a.id = s.token
             WHERE s.state = 'running' AND a.host = ?",
        )
        .bind(&worker.host)
        .fetch_one(&mut *tx)
        .await?;
        if candidate.beside.into_iter().chain(allowed).any(|beside| running > beside.max(0)) && running > 0 {
            return Ok(None);
        }
        // Before the claim is committed: a job that cannot be read must not be held by anyone.
        let job = serde_json::from_str(&candidate.job).map_err(|error| StoreError::Row(error.to_string()))?;
        let token = uuid::Uuid::now_v7().to_string();
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE stage SET state = 'running', token = ?, attempts = attempts + 1, reason = NULL, failure_class = NULL,
                 not_before = NULL, lease_until = {lease} WHERE id = ?",
            lease = later(LEASE_SECONDS),
        )))
        .bind(&token)
        .bind(&candidate.id)
        .execute(&mut *tx)
        .await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO attempt (id, stage_id, number, worker, host, pid, process_started, device, threads, version, log,
                 state, started_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', {NOW})"
        )))
        .bind(&token)
        .bind(&candidate.id)
        .bind(candidate.earlier + 1)
        .bind(&worker.worker)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(worker.threads as i64)
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(super::Artifacts::relative_log(&token))
        .execute(&mut *tx)
        .await?;
        settle::runs_start(&mut tx, &candidate.id).await?;
        crate::fault::point("claim:before-commit");
        tx.commit().await?;
        crate::fault::point("claim:after-commit");
        Ok(Some(Claim {
            stage: Key::from_hex(candidate.id),
            job,
            token,
            attempt: candidate.earlier + 1,
            title: format!("{} · {} · seed {}", candidate.category, candidate.variant, candidate.seed),
        }))
    }

    /// How many stages are pending or running: while there are any, a worker waits.
    pub async fn open_stages(&self, wanted: &Wanted) -> Result<i64, StoreError> {
        let (open,): (i64,) = sqlx::query_as(
            "SELECT COUNT(DISTINCT s.id) FROM sweep_run sr
             JOIN run r ON r.id = sr.run_id AND r.state NOT IN ('done', 'cancelled', 'pruned')
             JOIN run_stage rs ON rs.run_id = r.id
             JOIN stage s ON s.id = rs.stage_id
             WHERE sr.sweep_id = ? AND (? IS NULL OR r.id = ? OR r.trial_id = ?) AND s.state IN ('pending', 'running')",
        )
        .bind(&wanted.sweep)
        .bind(&wanted.only)
        .bind(&wanted.only)
        .bind(&wanted.only)
        .fetch_one(&self.pool)
        .await?;
        Ok(open)
    }
}
