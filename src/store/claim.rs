//! Claims stages for workers.

use std::iter;

use super::database::Tx;
use super::row::row;
use super::sql::sql;
use super::title::{self, TITLE, TRIAL};
use super::{AttemptStart, NOW, Store, StoreError, later};
use crate::stages::{Key, StageJob, StageKind, short_key};

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

/// SQL of the runs `r`, with their rows `sr`, of sweep `$1` that are the run or belong to the trial with the key `$2`.
pub(super) const ONLY: &str = "(SELECT id, trial_id, state, category, seed FROM runs
        WHERE key = $2 OR trial_id = (SELECT id FROM trials WHERE key = $2)) r
    JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)";

/// SQL of whether a run `r` may still become done.
const WANTED: &str = "r.state NOT IN ('cancelled', 'pruned')";

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
    /// The stage that a worker would claim next.
    #[derive(Debug, Clone, PartialEq)]
    pub struct NextStage {
        /// Kind of the stage.
        pub kind: StageKind,
        /// Cost class of the stage.
        pub family: String,
        /// Work of the stage; see [`crate::stages::Effort`].
        pub work: f64,
    }
}

row! {
    struct Candidate {
        id: i64,
        key: String,
        kind: String,
        beside: Option<i64>,
        /// Whether any running stage has a limit of stages beside it.
        any_beside: bool,
        job: String,
        earlier_attempts: i64,
        title: Option<String>,
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
        // Workers that find nothing must not block workers that have results to write. (EXISTS would drop the order, and PostgreSQL would
        // read the queue from its beginning.)
        let (ready, values) = ready(wanted);
        let found: Option<(i64,)> = sql(format!("SELECT s.id {ready}")).bind_all(values).optional(self).await?;
        if found.is_none() {
            return Ok(None);
        }
        let mut tx = self.write_relaxed().await?;
        let Some(candidate) = candidate(&mut tx, wanted).await? else { return Ok(None) };
        if candidate.beside.is_some() || candidate.any_beside {
            let (running, allowed) = running_on(&mut tx, &worker.host).await?;
            if candidate.beside.into_iter().chain(allowed).any(|limit| running > limit.max(0)) && running > 0 {
                return Ok(None);
            }
        }
        // Checked before the stage is claimed: a stage that this version cannot execute stays free for another worker.
        let job = job_of(&candidate)?;
        let title = match candidate.title {
            Some(title) => title,
            None => title_of_wanted_run(&mut tx, wanted, candidate.id).await?,
        };
        let number = candidate.earlier_attempts + 1;
        let token = uuid::Uuid::now_v7().to_string();
        sql(format!(
            "UPDATE stages SET state = 'running', token = $1, attempts = attempts + 1, reason = NULL, failure_class = NULL,
                 not_before = NULL, lease_until = {lease} WHERE id = $2",
            lease = later(LEASE_SECONDS),
        ))
        .bind(&token)
        .bind(candidate.id)
        .execute(&mut tx)
        .await?;
        sql(format!(
            "INSERT INTO attempts (token, stage_id, number, worker, host, pid, process_started, device, convolutions, threads,
                 version, log, state, started_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'running', {NOW})"
        ))
        .bind(&token)
        .bind(candidate.id)
        .bind(number)
        .bind(&worker.worker)
        .bind(&worker.host)
        .bind(i64::from(worker.pid))
        .bind(&worker.process_started)
        .bind(&worker.device)
        .bind(&worker.convolutions)
        .bind(worker.threads as i64)
        .bind(crate::VERSION)
        .bind(super::Artifacts::relative_log(&token))
        .execute(&mut tx)
        .await?;
        crate::fault::point("claim:before-commit");
        tx.commit().await?;
        crate::fault::point("claim:after-commit");
        Ok(Some(Claim { stage: Key::from_hex(candidate.key), job, token, attempt: number, title }))
    }

    /// Returns the stage that a worker would claim now. Returns `None` if no stage can be claimed.
    pub async fn next_stage(&self, wanted: &Wanted) -> Result<Option<NextStage>, StoreError> {
        let (ready, values) = ready(wanted);
        sql(format!("SELECT s.kind, s.family, s.work {ready}")).bind_all(values).optional(self).await
    }

    /// Returns whether any stage is pending or running. If so, an idle worker waits.
    pub async fn has_open_stages(&self, wanted: &Wanted) -> Result<bool, StoreError> {
        match &wanted.only {
            None => sql("SELECT EXISTS (
                     SELECT 1 FROM stage_counts c JOIN sweeps w ON w.id = c.sweep_id
                     WHERE w.key = $1 AND c.wanted = 1 AND c.state IN ('pending', 'running') AND c.stages > 0)")
            .bind(&wanted.sweep),
            Some(only) => sql(format!(
                "SELECT EXISTS (
                     SELECT 1 FROM {ONLY} JOIN run_stages rs ON rs.run_id = r.id JOIN stages s ON s.id = rs.stage_id
                     WHERE {WANTED} AND s.state IN ('pending', 'running'))"
            ))
            .bind(&wanted.sweep)
            .bind(only),
        }
        .value(self)
        .await
    }
}

/// Returns the job of a stage if this version computes the same key for it. Otherwise another version planned the stage: this version
/// may compute something else, and must not publish it under that key.
fn job_of(stage: &Candidate) -> Result<StageJob, StoreError> {
    match serde_json::from_str::<StageJob>(&stage.job) {
        Ok(job) if job.key().as_str() == stage.key => Ok(job),
        _ => Err(StoreError::OtherVersion { kind: stage.kind.clone(), stage: short_key(&stage.key).to_owned() }),
    }
}

/// Returns the number of stages running on a host, and the lowest `beside` limit of these stages.
pub(super) async fn running_on(tx: &mut Tx, host: &str) -> Result<(i64, Option<i64>), StoreError> {
    sql("SELECT COUNT(*), MIN(s.beside) FROM stages s JOIN attempts a ON a.token = s.token WHERE s.state = 'running' AND a.host = $1")
        .bind(host)
        .one(tx)
        .await
}

/// SQL of the stage `s` to claim next, the first that is ready and past its pause, with its row `q` of the queue. Also returns the values
/// of the placeholders.
fn ready(wanted: &Wanted) -> (String, Vec<&String>) {
    let past_its_pause = format!(
        "(s.not_before IS NULL OR s.not_before <= {NOW} OR s.not_before > {too_late})",
        too_late = later(2.0 * super::state::MAX_BACK_OFF)
    );
    let stages = match &wanted.only {
        None => format!(
            "FROM sweep_stages q JOIN stages s ON s.id = q.stage_id
             WHERE q.sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND q.ready = 1 AND {past_its_pause}
             ORDER BY q.position LIMIT 1"
        ),
        Some(_) => format!(
            "FROM {ONLY} JOIN run_stages rs ON rs.run_id = r.id
             JOIN sweep_stages q ON q.stage_id = rs.stage_id AND q.sweep_id = sr.sweep_id JOIN stages s ON s.id = q.stage_id
             WHERE {WANTED} AND q.ready = 1 AND {past_its_pause}
             ORDER BY sr.position, rs.position LIMIT 1"
        ),
    };
    (stages, iter::once(&wanted.sweep).chain(&wanted.only).collect())
}

/// Finds the next stage to claim.
async fn candidate(tx: &mut Tx, wanted: &Wanted) -> Result<Option<Candidate>, StoreError> {
    let title = match &wanted.only {
        None => title::of_first_run(WANTED),
        Some(_) => format!("(SELECT {TITLE} FROM (SELECT 1) x {TRIAL})"),
    };
    let (ready, values) = ready(wanted);
    sql(format!(
        "SELECT s.id, s.key, s.kind, s.beside, (SELECT job FROM stage_jobs WHERE stage_id = s.id) AS job,
                (SELECT COUNT(*) FROM attempts WHERE stage_id = s.id) AS earlier_attempts, {title} AS title,
                EXISTS (SELECT 1 FROM stages WHERE state = 'running' AND beside IS NOT NULL) AS any_beside {ready}"
    ))
    .bind_all(values)
    .optional(tx)
    .await
}

/// Returns the title of the first wanted run that needs a stage. The first run that needs it was cancelled or pruned.
async fn title_of_wanted_run(tx: &mut Tx, wanted: &Wanted, stage: i64) -> Result<String, StoreError> {
    let title: Option<(String,)> = sql(format!(
        "SELECT {TITLE} FROM run_stages rs JOIN runs r ON r.id = rs.run_id
         JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1) {TRIAL}
         WHERE rs.stage_id = $2 AND {WANTED} ORDER BY sr.position LIMIT 1"
    ))
    .bind(&wanted.sweep)
    .bind(stage)
    .optional(tx)
    .await?;
    Ok(title.map(|(title,)| title).unwrap_or_default())
}
