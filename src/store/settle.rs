//! Applies the consequences of a stage's new state: skipped dependents, run states, results.

use super::database::Tx;
use super::sql::{ROWS_PER_STATEMENT, Value, insert, list, sql};
use super::state::MAX_ATTEMPTS;
use super::title::{TITLE, TRIAL};
use super::{ArtifactState, Artifacts, RunState, Store, StoreError, VerifyScope, derived};
use crate::evaluate::{Evaluation, Fact, Measured, ResultName, Selection};
use crate::stages::{Key, StageJob, StageKind};

/// SQL that derives the states of the runs that a query of ids selects from the states of their stages. Writes only what changes.
fn run_states(runs: &str) -> String {
    format!(
        "UPDATE runs SET state = d.state, reason = d.reason
         FROM (SELECT g.run_id,
                      CASE WHEN g.failed > 0 THEN 'failed' WHEN g.open = 0 THEN 'done' ELSE 'pending' END AS state,
                      CASE WHEN g.failed > 0 THEN (
                          SELECT s.kind || ': ' || COALESCE(s.failure_class || ': ', '') || COALESCE(s.reason, '')
                          FROM run_stages rs JOIN stages s ON s.id = rs.stage_id
                          WHERE rs.run_id = g.run_id AND s.state = 'failed' ORDER BY rs.position LIMIT 1) END AS reason
               FROM (SELECT rs.run_id, SUM(CASE WHEN s.state IN ('failed', 'skipped') THEN 1 ELSE 0 END) AS failed,
                            SUM(CASE WHEN s.state = 'done' THEN 0 ELSE 1 END) AS open
                     FROM run_stages rs JOIN stages s ON s.id = rs.stage_id
                     WHERE rs.run_id IN ({runs}) GROUP BY rs.run_id) g) d
         WHERE runs.id = d.run_id AND runs.state NOT IN ('cancelled', 'pruned')
           AND (runs.state <> d.state OR runs.reason IS DISTINCT FROM d.reason)"
    )
}

/// Marks the runs of a done stage as done if it was the last of their stages.
pub(super) async fn runs_with_last_stage(tx: &mut Tx, stage: i64) -> Result<(), StoreError> {
    sql("UPDATE runs SET state = 'done', reason = NULL
         WHERE state NOT IN ('done', 'cancelled', 'pruned') AND id IN (SELECT run_id FROM run_stages WHERE stage_id = $1)
           AND NOT EXISTS (SELECT 1 FROM run_stages rs JOIN stages s ON s.id = rs.stage_id
                           WHERE rs.run_id = runs.id AND s.state <> 'done')")
    .bind(stage)
    .execute(tx)
    .await?;
    Ok(())
}

/// Derives the states of the runs that need a stage.
pub(super) async fn runs_of_stage(tx: &mut Tx, stage: i64) -> Result<(), StoreError> {
    sql(run_states("SELECT run_id FROM run_stages WHERE stage_id = $1")).bind(stage).execute(tx).await?;
    Ok(())
}

/// Derives the state of a run.
pub(super) async fn run(tx: &mut Tx, run: i64) -> Result<(), StoreError> {
    sql(run_states("$1")).bind(run).execute(tx).await?;
    Ok(())
}

/// Derives the states of a sweep's runs from position `first` on.
pub(super) async fn runs_of_sweep(tx: &mut Tx, sweep: i64, first: i64) -> Result<(), StoreError> {
    // Most often, nothing of a new plan has run.
    let settled: bool = sql("SELECT EXISTS (SELECT 1 FROM stage_counts
                             WHERE sweep_id = $1 AND stages > 0 AND state NOT IN ('pending', 'running'))
                         OR EXISTS (SELECT 1 FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
                                    WHERE sr.sweep_id = $1 AND r.state IN ('done', 'failed'))")
    .bind(sweep)
    .value(&mut *tx)
    .await?;
    if settled {
        sql(run_states("SELECT run_id FROM sweep_runs WHERE sweep_id = $1 AND position >= $2"))
            .bind(sweep)
            .bind(first)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Sets the state of runs that a person or a search ended or revived.
pub(super) async fn set_states(
    tx: &mut Tx,
    runs: &[i64],
    state: RunState,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    for runs in runs.chunks(ROWS_PER_STATEMENT) {
        sql(format!("UPDATE runs SET state = $1, reason = $2 WHERE id IN ({})", list(3, runs.len())))
            .bind(state.name())
            .bind(reason)
            .bind_all(runs.iter().copied())
            .execute(tx)
            .await?;
    }
    derived::update_wanted(tx, runs).await
}

/// Marks a pending stage as failed after the maximum number of attempts, and skips all stages that depend on a failed stage. Returns
/// whether the stage has failed.
///
/// The caller updates the runs of the stage. That suffices: every run with a dependent stage also contains this stage.
pub(super) async fn limit_attempts(tx: &mut Tx, stage: i64) -> Result<bool, StoreError> {
    sql("UPDATE stages SET state = 'failed', failure_class = COALESCE(failure_class, 'signal'),
             reason = COALESCE(reason, 'its worker process no longer exists') || ' (attempt ' || attempts || ')'
         WHERE id = $1 AND state = 'pending' AND attempts >= $2")
    .bind(stage)
    .bind(MAX_ATTEMPTS)
    .execute(tx)
    .await?;
    let failed: bool = sql("SELECT EXISTS (SELECT 1 FROM stages WHERE id = $1 AND state = 'failed')")
        .bind(stage)
        .value(&mut *tx)
        .await?;
    if failed {
        skip_below_failed(tx).await?;
    }
    Ok(failed)
}

/// Skips every pending stage below a failed stage, with the reason.
async fn skip_below_failed(tx: &mut Tx) -> Result<(), StoreError> {
    sql("WITH RECURSIVE below(id) AS (
             SELECT d.stage_id FROM stages f JOIN stage_dependencies d ON d.needs_id = f.id WHERE f.state = 'failed'
             UNION SELECT d.stage_id FROM below b JOIN stage_dependencies d ON d.needs_id = b.id)
         UPDATE stages SET state = 'skipped', reason = 'a stage that it needs failed'
         WHERE state = 'pending' AND id IN (SELECT id FROM below)")
    .execute(tx)
    .await?;
    Ok(())
}

/// Revives the runs of a sweep that is planned again. Its cancelled runs become pending. Skipped stages become pending if the stage
/// that they need is no longer failed. New stages below a failed stage are skipped.
///
/// With `pruned`, pruned runs are revived as well: the sweep no longer prunes. Only runs from position `first` on are considered, so
/// that a search that adds trials does not revive runs cancelled in the meantime. Returns the titles of the runs that were cancelled.
pub(super) async fn revive(tx: &mut Tx, sweep: i64, pruned: bool, first: i64) -> Result<Vec<String>, StoreError> {
    let cancelled: Vec<(i64, String)> = sql(format!(
        "SELECT r.id, {TITLE} FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id {TRIAL}
         WHERE r.state = 'cancelled' AND sr.sweep_id = $1 AND sr.position >= $2 ORDER BY sr.position"
    ))
    .bind(sweep)
    .bind(first)
    .all(&mut *tx)
    .await?;
    let mut ended: Vec<i64> = cancelled.iter().map(|(run, _)| *run).collect();
    if pruned {
        let pruned: Vec<i64> = sql("SELECT r.id FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
             WHERE r.state = 'pruned' AND sr.sweep_id = $1 AND sr.position >= $2")
        .bind(sweep)
        .bind(first)
        .column(&mut *tx)
        .await?;
        ended.extend(pruned);
    }
    set_states(tx, &ended, RunState::Pending, None).await?;
    sql("UPDATE stages SET state = 'pending', reason = NULL
         WHERE state = 'skipped' AND id IN (SELECT stage_id FROM sweep_stages WHERE sweep_id = $1)")
    .bind(sweep)
    .execute(tx)
    .await?;
    skip_below_failed(tx).await?;
    Ok(cancelled.into_iter().map(|(_, title)| title).collect())
}

impl Store {
    /// Resets the failed and skipped stages of a sweep to pending. Returns the number of these stages.
    pub async fn retry_failed(&self, sweep: &str) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let sweep: i64 = sql("SELECT id FROM sweeps WHERE key = $1").bind(sweep).value(&mut tx).await?;
        let retried = sql("UPDATE stages SET state = 'pending', attempts = 0, failure_class = NULL, reason = NULL, finished_at = NULL,
                 not_before = NULL, beside = NULL
             WHERE state IN ('failed', 'skipped') AND id IN (SELECT stage_id FROM sweep_stages WHERE sweep_id = $1)")
        .bind(sweep)
        .execute(&mut tx)
        .await?;
        runs_of_sweep(&mut tx, sweep, 0).await?;
        tx.commit().await?;
        Ok(retried)
    }

    /// Copies the numbers of finished evaluations to the runs of a sweep that lack them. A run can lack them if it shares the evaluation
    /// with another run, or if the worker was killed between its two transactions.
    pub async fn settle_evaluations(&self, sweep: &str, artifacts: &Artifacts) -> Result<(), StoreError> {
        // A run has the results of a stage exactly if it has the number that `StageKind::results` names.
        let with_results =
            || StageKind::ALL.into_iter().filter_map(|kind| Some((kind.name(), kind.results()?.to_string())));
        let (kinds, names): (Vec<&str>, Vec<String>) = with_results().unzip();
        let (kinds, names) = (kinds.join("', '"), names.join("', '"));
        let unsettled: Vec<String> = sql(format!(
            // CROSS JOIN makes SQLite go from the run to its few stages, instead of scanning all finished stages.
            "SELECT DISTINCT s.key FROM (
                 SELECT sr.run_id FROM sweep_runs sr WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)
                   AND (SELECT COUNT(*) FROM run_stages o CROSS JOIN stages e
                        WHERE o.run_id = sr.run_id AND e.id = o.stage_id AND e.kind IN ('{kinds}') AND e.state = 'done')
                     > (SELECT COUNT(*) FROM results x WHERE x.run_id = sr.run_id AND x.name IN ('{names}'))) u
             CROSS JOIN run_stages rs CROSS JOIN stages s
             WHERE rs.run_id = u.run_id AND s.id = rs.stage_id AND s.kind IN ('{kinds}') AND s.state = 'done'"
        ))
        .bind(sweep)
        .column(self)
        .await?;
        for stage in unsettled {
            self.settle_results(&Key::from_hex(stage), artifacts).await?;
        }
        Ok(())
    }

    /// Copies the numbers of a finished evaluation to every run that needs them.
    pub async fn settle_results(&self, stage: &Key, artifacts: &Artifacts) -> Result<(), StoreError> {
        let row: Option<(i64, String)> = sql(
            "SELECT s.id, j.job FROM stages s JOIN stage_jobs j ON j.stage_id = s.id WHERE s.key = $1 AND s.state = 'done'",
        )
        .bind(stage.as_str())
        .optional(self)
        .await?;
        let Some((id, job)) = row else { return Ok(()) };
        let job: StageJob = serde_json::from_str(&job)?;
        let (Some(known), Some(selection)) = (job.kind().results(), job.selection()) else { return Ok(()) };
        if let ArtifactState::Damaged(kind, damage) = self.examine(artifacts, stage, VerifyScope::Digests).await? {
            self.reopen(artifacts, kind, stage, &damage).await?;
            return Ok(());
        }
        let folder = artifacts.path(job.kind(), stage);
        let evaluation =
            Evaluation::read(&folder).map_err(|source| StoreError::Artifact { path: folder.clone(), source })?;

        crate::fault::point("results:before-transaction");
        let mut tx = self.write().await?;
        let runs: Vec<(i64, i64)> =
            sql("SELECT r.id, r.protocol_id FROM runs r JOIN run_stages rs ON rs.run_id = r.id WHERE rs.stage_id = $1
             AND NOT EXISTS (SELECT 1 FROM results x WHERE x.run_id = r.id AND x.selection = $2 AND x.name = $3
                             AND x.protocol_id = r.protocol_id)")
            .bind(id)
            .bind(selection.name())
            .bind(known.to_string())
            .all(&mut tx)
            .await?;
        for (run, protocol) in runs {
            insert_results(&mut tx, run, protocol, selection, &evaluation, &known).await?;
        }
        crate::fault::point("results:before-commit");
        tx.commit().await?;
        crate::fault::point("results:after-commit");
        Ok(())
    }
}

async fn insert_results(
    tx: &mut Tx,
    run: i64,
    protocol: i64,
    selection: Selection,
    evaluation: &Evaluation,
    known: &ResultName,
) -> Result<(), StoreError> {
    let epoch = (*known == ResultName::Fact(Fact::Epoch))
        .then(|| (ResultName::Fact(Fact::Epoch), Measured::value(evaluation.epoch as f64)));
    let measured = evaluation.results.iter().chain(epoch.iter().map(|(name, measured)| (name, measured)));
    let rows = measured.map(|(name, measured)| -> [Value; 6] {
        [
            run.into(),
            selection.name().into(),
            name.to_string().into(),
            measured.value.into(),
            (&measured.reason).into(),
            protocol.into(),
        ]
    });
    insert(
        tx,
        "results (run_id, selection, name, value, reason, protocol_id)",
        rows,
        "ON CONFLICT (run_id, selection, name) DO UPDATE SET value = excluded.value, reason = excluded.reason,
             protocol_id = excluded.protocol_id",
    )
    .await?;
    let rows = evaluation.image_scores.iter().map(|image| -> [Value; 6] {
        [
            run.into(),
            selection.name().into(),
            (&image.image).into(),
            image.defect.as_deref().unwrap_or("good").into(),
            image.defect.is_some().into(),
            f64::from(image.score).into(),
        ]
    });
    insert(
        tx,
        "image_scores (run_id, selection, image, defect, label, score)",
        rows,
        "ON CONFLICT (run_id, selection, image) DO UPDATE SET score = excluded.score, defect = excluded.defect,
             label = excluded.label",
    )
    .await?;
    Ok(())
}
