//! Claims stages for workers.

use sqlx::Sqlite;

use super::open::Tx;
use super::row::row;
use super::{AttemptStart, NOW, Store, StoreError, later, settle};
use crate::stages::{Key, StageJob, short_key};

/// Seconds that a claim lasts without a heartbeat.
pub(super) const LEASE_SECONDS: f64 = 60.0;

/// Selects the stages that a worker may claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Id of the sweep.
    pub sweep: String,
    /// Key of a run or trial of the sweep, to which the worker is restricted.
    pub only: Option<String>,
}

/// SQL condition for a run `r` with its row `sr` in the sweep. `?1` is the sweep, `?2` a run or trial to restrict to, or NULL.
pub(super) const WANTED: &str = "sr.sweep_id = ?1 AND (?2 IS NULL OR r.id = ?2 OR r.trial_id = ?2)";

/// A stage that this worker has claimed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Key of the stage.
    pub stage: Key,
    /// Job of the stage.
    pub job: StageJob,
    /// Fencing token of the lease: the id of the attempt.
    pub token: String,
    /// Number of the attempt, from 1.
    pub attempt: i64,
    /// Title of the run for which the stage was claimed: `category · T07 settings · seed n`.
    pub title: String,
}

row! {
    struct Candidate {
        id: String,
        kind: String,
        job: String,
        beside: Option<i64>,
        category: String,
        trial: String,
        seed: i64,
        earlier: i64,
    }
}

impl Store {
    /// Claims the next stage whose dependencies are done and whose pause is over. Returns `None` if no stage can be claimed now.
    ///
    /// Stages are claimed in the order of the runs, so that complete runs finish early. A stage that ran out of memory waits until few
    /// enough stages run on this host. No other stage is claimed in the meantime: otherwise that stage could wait forever.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`] if another version of didact planned the stage.
    pub async fn claim(&self, wanted: &Wanted, worker: &AttemptStart) -> Result<Option<Claim>, StoreError> {
        // The search runs before the write lock is taken. If many stages wait for a few others, the search reads many runs. Workers that
        // find nothing must not block workers that have results to write.
        let Some(seen) = candidate(&self.pool, wanted).await? else { return Ok(None) };
        let mut tx = self.write().await?;
        let candidate = match is_claimable(&mut tx, &seen.id).await? {
            true => Some(seen),
            false => candidate(&mut *tx, wanted).await?,
        };
        let Some(candidate) = candidate else { return Ok(None) };
        let (running, allowed) = running_on(&mut tx, &worker.host).await?;
        if candidate.beside.into_iter().chain(allowed).any(|limit| running > limit.max(0)) && running > 0 {
            return Ok(None);
        }
        // Checked before the stage is claimed: a stage that this version cannot execute stays free for another worker.
        let job = same_job(&candidate)?;
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
            "INSERT INTO attempt (id, stage_id, number, worker, host, pid, process_started, device, convolutions, threads,
                 version, log, state, started_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', {NOW})"
        )))
        .bind(&token)
        .bind(&candidate.id)
        .bind(candidate.earlier + 1)
        .bind(&worker.worker)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(&worker.convolutions)
        .bind(worker.threads as i64)
        .bind(crate::VERSION)
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
            title: format!("{} · {} · seed {}", candidate.category, candidate.trial, candidate.seed),
        }))
    }

    /// Returns whether any stage is pending or running. If so, an idle worker waits.
    pub async fn has_open_stages(&self, wanted: &Wanted) -> Result<bool, StoreError> {
        let (open,): (bool,) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT EXISTS (
                 SELECT 1 FROM sweep_run sr JOIN run r ON r.id = sr.run_id
                 JOIN run_stage rs ON rs.run_id = r.id JOIN stage s ON s.id = rs.stage_id
                 WHERE {WANTED} AND sr.over = 0 AND s.state IN ('pending', 'running'))"
        )))
        .bind(&wanted.sweep)
        .bind(&wanted.only)
        .fetch_one(&self.pool)
        .await?;
        Ok(open)
    }
}

/// Returns the job of a stage if this version computes the same key for it. Otherwise another version planned the stage: this version
/// may compute something else, and must not publish it under that key.
fn same_job(stage: &Candidate) -> Result<StageJob, StoreError> {
    match serde_json::from_str::<StageJob>(&stage.job) {
        Ok(job) if job.key().as_str() == stage.id => Ok(job),
        _ => Err(StoreError::OtherVersion { kind: stage.kind.clone(), stage: short_key(&stage.id).to_owned() }),
    }
}

/// Returns the number of stages running on a host, and the lowest `beside` limit of these stages.
pub(super) async fn running_on(tx: &mut Tx, host: &str) -> Result<(i64, Option<i64>), StoreError> {
    Ok(sqlx::query_as(
        "SELECT COUNT(*), MIN(s.beside) FROM stage s JOIN attempt a ON a.id = s.token
         WHERE s.state = 'running' AND a.host = ?",
    )
    .bind(host)
    .fetch_one(&mut **tx)
    .await?)
}

/// SQL condition for a stage `s` that can be claimed: pending, past its pause, and with all dependencies done.
fn claimable() -> String {
    format!(
        "s.state = 'pending' AND (s.not_before IS NULL OR s.not_before <= {NOW} OR s.not_before > {too_late})
         AND NOT EXISTS (
             SELECT 1 FROM stage_dependency d JOIN stage n ON n.id = d.needs_id WHERE d.stage_id = s.id AND n.state <> 'done')",
        too_late = later(2.0 * super::state::MAX_BACK_OFF),
    )
}

/// Finds the next stage to claim. Goes through the runs in order, without finished ones (SQLite does not reorder a CROSS JOIN).
async fn candidate<'e>(
    executor: impl sqlx::Executor<'e, Database = Sqlite>,
    wanted: &Wanted,
) -> Result<Option<Candidate>, StoreError> {
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT s.id, s.kind, s.job, s.beside, r.category, st.title AS trial, r.seed,
                (SELECT COUNT(*) FROM attempt a WHERE a.stage_id = s.id) AS earlier
         FROM sweep_run sr CROSS JOIN run r CROSS JOIN run_stage rs CROSS JOIN stage s CROSS JOIN sweep_trial st
         WHERE {WANTED} AND sr.over = 0 AND r.id = sr.run_id
           AND rs.run_id = r.id AND s.id = rs.stage_id AND st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
           AND {}
         ORDER BY sr.position, rs.position LIMIT 1",
        claimable()
    )))
    .bind(&wanted.sweep)
    .bind(&wanted.only)
    .fetch_optional(executor)
    .await?)
}

/// Returns whether a stage found before the lock was taken can still be claimed and is still needed.
async fn is_claimable(tx: &mut Tx, stage: &str) -> Result<bool, StoreError> {
    let (claimable,): (bool,) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT EXISTS (
             SELECT 1 FROM stage s JOIN run_stage rs ON rs.stage_id = s.id
             JOIN run r ON r.id = rs.run_id AND r.state NOT IN ('done', 'cancelled', 'pruned')
             WHERE s.id = ? AND {})",
        claimable()
    )))
    .bind(stage)
    .fetch_one(&mut **tx)
    .await?;
    Ok(claimable)
}
