//! Taking a stage.

use sqlx::Sqlite;

use super::open::Tx;
use super::row::row;
use super::{AttemptStart, NOW, Store, StoreError, later, settle};
use crate::stages::{Key, StageJob, short_key};

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

/// That a run `r` in its sweep's place `sr` is wanted: ?1 = the sweep, ?2 = the run or trial that alone is wanted, or NULL.
pub(super) const WANTED: &str = "sr.sweep_id = ?1 AND (?2 IS NULL OR r.id = ?2 OR r.trial_id = ?2)";

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
    /// The run for whose sake it was claimed: "category · T07 settings · seed n".
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
    /// Claims the next stage whose dependencies are done and whose pause is over; none if there is none now.
    ///
    /// The order is that of the runs, so that whole runs finish early. A stage that ran out of memory before waits until few
    /// enough others run on this host, and nothing overtakes it meanwhile: it would wait for ever.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`] if another version of didact planned the stage.
    pub async fn claim(&self, wanted: &Wanted, worker: &AttemptStart) -> Result<Option<Claim>, StoreError> {
        // Looked for before the write lock is taken: where much waits for little, many runs are passed over, and workers that
        // find nothing must not keep those waiting that have something to tell.
        let Some(seen) = candidate(&self.pool, wanted).await? else { return Ok(None) };
        let mut tx = self.write().await?;
        let candidate = match is_claimable(&mut tx, &seen.id).await? {
            true => Some(seen),
            false => candidate(&mut *tx, wanted).await?,
        };
        let Some(candidate) = candidate else { return Ok(None) };
        let (running, allowed) = running_on(&mut tx, &worker.host).await?;
        if candidate.beside.into_iter().chain(allowed).any(|beside| running > beside.max(0)) && running > 0 {
            return Ok(None);
        }
        // Before the stage is taken: one that this version cannot do stays as it is, for a worker that can.
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

    /// Whether a stage is pending or running: while one is, a worker waits.
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

/// The job of a stage, if its key is the one that this version makes of it. Else another version planned it: what this one computes may
/// be something else, and must not stand under that key.
fn same_job(stage: &Candidate) -> Result<StageJob, StoreError> {
    match serde_json::from_str::<StageJob>(&stage.job) {
        Ok(job) if job.key().as_str() == stage.id => Ok(job),
        _ => Err(StoreError::OtherVersion { kind: stage.kind.clone(), stage: short_key(&stage.id).to_owned() }),
    }
}

/// How many stages run on a host, and the fewest that any of them allows beside it.
pub(super) async fn running_on(tx: &mut Tx, host: &str) -> Result<(i64, Option<i64>), StoreError> {
    Ok(sqlx::query_as(
        "SELECT COUNT(*), MIN(s.beside) FROM stage s JOIN attempt a ON a.id = s.token
         WHERE s.state = 'running' AND a.host = ?",
    )
    .bind(host)
    .fetch_one(&mut **tx)
    .await?)
}

/// That a stage `s` waits for nothing.
fn claimable() -> String {
    format!(
        "s.state = 'pending' AND (s.not_before IS NULL OR s.not_before <= {NOW} OR s.not_before > {too_late})
         AND NOT EXISTS (
             SELECT 1 FROM stage_dependency d JOIN stage n ON n.id = d.needs_id WHERE d.stage_id = s.id AND n.state <> 'done')",
        too_late = later(2.0 * super::state::MAX_BACK_OFF),
    )
}

/// The stage that comes next. The runs are passed in their order, those that are over left out (SQLite reorders no CROSS JOIN).
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

/// Whether what was seen a moment ago is still to be had, and still wanted.
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
