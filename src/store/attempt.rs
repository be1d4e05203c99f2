//! Attempts: one execution of a stage by a worker, with its end and its costs.

use std::collections::BTreeMap;

use super::claim::running_on;
use super::database::Tx;
use super::sql::{insert, sql};
use super::state::back_off;
use super::{Artifacts, AttemptEnd, Claim, NOW, Retry, StageStatus, Store, StoreError, later, settle};

/// The worker that executes an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptStart {
    /// Id of the worker.
    pub worker: String,
    /// Host of the worker.
    pub host: String,
    /// Process id of the worker.
    pub pid: u32,
    /// Start time of that process, as reported by the kernel. It distinguishes the process from a later one with the same id.
    pub process_started: Option<String>,
    /// Device, for example `cpu` or `cuda:0`.
    pub device: String,
    /// Who computes its convolutions: `own`, or cuDNN with its version and the GPU's name.
    pub convolutions: String,
    /// Number of threads that the worker may use.
    pub threads: usize,
}

impl Store {
    /// Ends an attempt. Returns `false` if the lease was lost: the attempt is then recorded as superseded and changes nothing else.
    pub async fn finish(
        &self,
        claim: &Claim,
        worker: &AttemptStart,
        end: &AttemptEnd,
        seconds: f64,
        costs: &BTreeMap<String, f64>,
        peak_rss: Option<u64>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let stage = self.end_stage(&mut tx, claim.stage.as_str(), &claim.token, &worker.host, end).await?;
        let ours = stage.is_some();
        if !ours {
            let recorded: Option<(String,)> =
                sql("SELECT state FROM attempts WHERE token = $1").bind(&claim.token).optional(&mut tx).await?;
            if recorded.is_some_and(|(state,)| state == end.attempt_state(true).name()) {
                // An earlier call has written this end, but the connection was lost before it learnt so.
                return Ok(true);
            }
        }
        let (class, reason) = match end {
            AttemptEnd::Failed { class, reason } if ours => (Some(class.name()), Some(reason)),
            _ => (None, None),
        };
        sql(format!(
            "UPDATE attempts SET state = $1, failure_class = $2, reason = $3, finished_at = {NOW}, seconds = $4,
                 images_per_second = $5, peak_rss_bytes = $6, costs = $7, threads = COALESCE($8, threads) WHERE token = $9"
        ))
        .bind(end.attempt_state(ours).name())
        .bind(class)
        .bind(reason)
        .bind(seconds)
        .bind(costs.get("images_per_second"))
        .bind(peak_rss.map(|bytes| bytes as i64))
        .bind(serde_json::to_string(costs)?)
        // The mean over the steps, if idle neighbours lent theirs: the rates of later estimates count thread-seconds.
        .bind(costs.get("threads").map(|threads| threads.round() as i64))
        .bind(&claim.token)
        .execute(&mut tx)
        .await?;
        if let (Some(stage), AttemptEnd::Done(published)) = (stage, end) {
            sql(format!(
                "INSERT INTO artifacts (stage_id, path, bytes, digest, created_at) VALUES ($1, $2, $3, $4, {NOW})
                 ON CONFLICT (stage_id) DO UPDATE SET bytes = excluded.bytes, digest = excluded.digest,
                     created_at = excluded.created_at"
            ))
            .bind(stage)
            .bind(Artifacts::relative(claim.job.kind(), &claim.stage))
            .bind(published.bytes as i64)
            .bind(&published.digest)
            .execute(&mut tx)
            .await?;
            add_to_rates(&mut tx, &claim.token).await?;
        }
        crate::fault::point("finish:before-commit");
        tx.commit().await?;
        crate::fault::point("finish:after-commit");
        Ok(ours)
    }

    /// Gives back the stages that a worker holds without knowing so: its connection was lost while its claim was stored.
    pub async fn give_back(&self, worker: &AttemptStart) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let held: Vec<(String, String)> = sql(
            "SELECT s.key, a.token FROM attempts a JOIN stages s ON s.id = a.stage_id WHERE a.worker = $1 AND a.state = 'running'",
        )
        .bind(&worker.worker)
        .all(&mut tx)
        .await?;
        for (stage, token) in held {
            let end = AttemptEnd::Interrupted;
            let ours = self.end_stage(&mut tx, &stage, &token, &worker.host, &end).await?.is_some();
            sql(format!(
                "UPDATE attempts SET state = $1, reason = 'the connection was lost during the claim', finished_at = {NOW}, seconds = 0.0
                 WHERE token = $2"
            ))
            .bind(end.attempt_state(ours).name())
            .bind(&token)
            .execute(&mut tx)
            .await?;
        }
        tx.commit().await
    }

    /// Applies the end of an attempt to its stage and its runs. Returns the id of the stage. Changes nothing and returns `None` if the token
    /// no longer holds the stage.
    pub(super) async fn end_stage(
        &self,
        tx: &mut Tx,
        stage: &str,
        token: &str,
        host: &str,
        end: &AttemptEnd,
    ) -> Result<Option<i64>, StoreError> {
        let held: Option<(i64, i64, Option<i64>)> =
            sql("SELECT id, attempts, beside FROM stages WHERE key = $1 AND token = $2 AND state = 'running'")
                .bind(stage)
                .bind(token)
                .optional(&mut *tx)
                .await?;
        let Some((stage, attempts, neighbours)) = held else { return Ok(None) };
        let retry = match end {
            AttemptEnd::Failed { class, .. } => class.retry(),
            AttemptEnd::Done(_) | AttemptEnd::Interrupted => Retry::Never,
        };
        let (state, class, reason) = match end {
            AttemptEnd::Done(_) => (StageStatus::Done, None, None),
            AttemptEnd::Failed { class, reason } if retry == Retry::Never => {
                (StageStatus::Failed, Some(class), Some(reason))
            }
            AttemptEnd::Failed { class, reason } => (StageStatus::Pending, Some(class), Some(reason)),
            AttemptEnd::Interrupted => (StageStatus::Pending, None, None),
        };
        let neighbours = match retry {
            Retry::WithFewerNeighbours => Some(self.halved_neighbours(tx, host, neighbours).await?),
            Retry::Never | Retry::AfterPause => neighbours,
        };
        let pause = if retry == Retry::Never { "NULL".to_owned() } else { later(back_off(attempts)) };
        sql(format!(
            "UPDATE stages SET state = $1, failure_class = $2, reason = $3, token = NULL, lease_until = NULL,
                 not_before = {pause}, beside = $4,
                 finished_at = CASE WHEN $1 IN ('done', 'failed') THEN {NOW} END, attempts = attempts - $5 WHERE id = $6"
        ))
        .bind(state.name())
        .bind(class.map(|class| class.name()))
        .bind(reason)
        .bind(neighbours)
        // An interruption is not a failure, so the attempt does not count.
        .bind(*end == AttemptEnd::Interrupted)
        .bind(stage)
        .execute(tx)
        .await?;
        if state == StageStatus::Done {
            settle::runs_with_last_stage(tx, stage).await?;
        } else if settle::limit_attempts(tx, stage).await? {
            settle::runs_of_stage(tx, stage).await?;
        }
        Ok(Some(stage))
    }

    /// Returns how many stages may run at the same time as one that ran out of memory. This is half of the previous limit, or half of the
    /// running stages if there was no limit.
    async fn halved_neighbours(&self, tx: &mut Tx, host: &str, allowed: Option<i64>) -> Result<i64, StoreError> {
        let (running, _) = running_on(tx, host).await?;
        // The stage counts as one of the jobs. Half of the jobs, rounded down, minus the stage itself, may run at the same time.
        let jobs = allowed.map_or(running, |neighbours| neighbours + 1);
        Ok((jobs / 2 - 1).max(0))
    }

    /// Stores curve points of a stage. Returns `false` if the lease was lost.
    pub async fn add_metrics(&self, claim: &Claim, points: &[(String, u64, f64)]) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // Only attempts without progress count as failed attempts. New curve points are progress.
        let held: Option<(i64,)> = sql("UPDATE stages SET attempts = 1 WHERE key = $1 AND token = $2 RETURNING id")
            .bind(claim.stage.as_str())
            .bind(&claim.token)
            .optional(&mut tx)
            .await?;
        let Some((stage,)) = held else { return Ok(false) };
        let rows =
            points.iter().map(|(name, step, value)| [stage.into(), name.into(), (*step as i64).into(), value.into()]);
        let update = "ON CONFLICT (stage_id, name, step) DO UPDATE SET value = excluded.value";
        insert(&mut tx, "metrics (stage_id, name, step, value)", rows, update).await?;
        crate::fault::point("metrics:before-commit");
        tx.commit().await?;
        crate::fault::point("metrics:after-commit");
        Ok(true)
    }

    /// Removes curve points after `step`. A resumed stage starts from a checkpoint at `step` and computes the later points again.
    pub async fn rewind_metrics(&self, claim: &Claim, step: u64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql("DELETE FROM metrics WHERE step > $1 AND stage_id = (SELECT id FROM stages WHERE key = $2 AND token = $3)")
            .bind(step as i64)
            .bind(claim.stage.as_str())
            .bind(&claim.token)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Adds a done attempt to the rates of later estimates. A later attempt may have continued at a checkpoint, so only first ones count.
async fn add_to_rates(tx: &mut Tx, token: &str) -> Result<(), StoreError> {
    sql("INSERT INTO rates (kind, family, thread_seconds, work)
         SELECT s.kind, s.family, a.seconds * a.threads, s.work FROM attempts a JOIN stages s ON s.id = a.stage_id
         WHERE a.token = $1 AND a.number = 1 AND s.work > 0
         ON CONFLICT (kind, family) DO UPDATE SET thread_seconds = rates.thread_seconds + excluded.thread_seconds,
             work = rates.work + excluded.work")
    .bind(token)
    .execute(tx)
    .await?;
    Ok(())
}
