//! Applies the consequences of a stage's new state: skipped dependents, run states, results.

use super::open::Tx;
use super::state::MAX_ATTEMPTS;
use super::{ArtifactState, Artifacts, Store, StoreError, VerifyScope};
use crate::evaluate::{Evaluation, Fact, Measured, ResultName, Selection};
use crate::stages::{Key, StageJob, StageKind};

/// SQL that derives the state of runs from the states of their stages.
const RUN_STATE: &str = "UPDATE run SET
    state = CASE
        WHEN EXISTS (SELECT 1 FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
                     WHERE rs.run_id = run.id AND s.state IN ('failed', 'skipped')) THEN 'failed'
        WHEN NOT EXISTS (SELECT 1 FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
                         WHERE rs.run_id = run.id AND s.state <> 'done') THEN 'done'
        WHEN EXISTS (SELECT 1 FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
                     WHERE rs.run_id = run.id AND s.state = 'running') THEN 'running'
        ELSE 'pending' END,
    reason = (SELECT s.kind || ': ' || COALESCE(s.failure_class || ': ', '') || COALESCE(s.reason, '')
              FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
              WHERE rs.run_id = run.id AND s.state = 'failed' ORDER BY rs.position LIMIT 1)
    WHERE state NOT IN ('cancelled', 'pruned') AND id IN ";

/// Sets pending runs to running when one of their stages is claimed. Runs in other states do not change.
pub(super) async fn runs_start(tx: &mut Tx, stage: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE run SET state = 'running' WHERE state = 'pending' AND id IN (SELECT run_id FROM run_stage WHERE stage_id = ?)",
    )
    .bind(stage)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn runs_of_stage(tx: &mut Tx, stage: &str) -> Result<(), StoreError> {
    let sql = format!("{RUN_STATE} (SELECT run_id FROM run_stage WHERE stage_id = ?)");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(stage).execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn run(tx: &mut Tx, run: &str) -> Result<(), StoreError> {
    sqlx::query(sqlx::AssertSqlSafe(format!("{RUN_STATE} (?)"))).bind(run).execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn runs_of_sweep(tx: &mut Tx, sweep: &str) -> Result<(), StoreError> {
    let sql = format!("{RUN_STATE} (SELECT run_id FROM sweep_run WHERE sweep_id = ?)");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(sweep).execute(&mut **tx).await?;
    Ok(())
}

/// Marks a pending stage as failed after the maximum number of attempts, and skips all stages that depend on a failed stage.
///
/// The caller updates the runs of the stage. That suffices: every run with a dependent stage also contains this stage.
pub(super) async fn limit_attempts(tx: &mut Tx, stage: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE stage SET state = 'failed', failure_class = COALESCE(failure_class, 'signal'),
             reason = COALESCE(reason, 'its worker process no longer exists') || ' (attempt ' || attempts || ')'
         WHERE id = ? AND state = 'pending' AND attempts >= ?",
    )
    .bind(stage)
    .bind(MAX_ATTEMPTS)
    .execute(&mut **tx)
    .await?;
    let (failed,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM stage WHERE id = ? AND state = 'failed')")
        .bind(stage)
        .fetch_one(&mut **tx)
        .await?;
    // Checked first: the skip query takes time proportional to the number of remaining stages, even if there is nothing to skip.
    if failed {
        sqlx::query(SKIP_BELOW).execute(&mut **tx).await?;
    }
    Ok(())
}

/// SQL that skips every pending stage below a failed stage, with the reason.
const SKIP_BELOW: &str = "WITH RECURSIVE below(id) AS (
        SELECT d.stage_id FROM stage_dependency d JOIN stage f ON f.id = d.needs_id WHERE f.state = 'failed'
        UNION SELECT d.stage_id FROM stage_dependency d JOIN below b ON b.id = d.needs_id)
    UPDATE stage SET state = 'skipped', reason = 'a stage that it needs failed'
    WHERE state = 'pending' AND id IN (SELECT id FROM below)";

/// Revives the runs of a sweep that is planned again. Its cancelled runs become pending. Skipped stages become pending if the stage
/// that they need is no longer failed. New stages below a failed stage are skipped.
///
/// With `pruned`, pruned runs are revived as well: the sweep no longer prunes. Only runs from position `first` on are considered, so
/// that a search that adds trials does not revive runs cancelled in the meantime. Returns the titles of the runs that were cancelled.
pub(super) async fn revive(tx: &mut Tx, sweep: &str, pruned: bool, first: usize) -> Result<Vec<String>, StoreError> {
    const SELECTED: &str =
        "(r.state = 'cancelled' OR (?1 AND r.state = 'pruned')) AND sr.sweep_id = ?2 AND sr.position >= ?3";
    let revived: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT r.category || ' · ' || st.title || ' · seed ' || r.seed FROM sweep_run sr JOIN run r ON r.id = sr.run_id
         JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
         WHERE r.state = 'cancelled' AND {SELECTED} ORDER BY sr.position"
    )))
    .bind(pruned)
    .bind(sweep)
    .bind(first as i64)
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE run SET state = 'pending', reason = NULL
         WHERE id IN (SELECT r.id FROM sweep_run sr JOIN run r ON r.id = sr.run_id WHERE {SELECTED})"
    )))
    .bind(pruned)
    .bind(sweep)
    .bind(first as i64)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE stage SET state = 'pending', reason = NULL WHERE state = 'skipped' AND id IN (
             SELECT rs.stage_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE sr.sweep_id = ?)",
    )
    .bind(sweep)
    .execute(&mut **tx)
    .await?;
    sqlx::query(SKIP_BELOW).execute(&mut **tx).await?;
    Ok(revived.into_iter().map(|(run,)| run).collect())
}

impl Store {
    /// Resets the failed and skipped stages of a sweep to pending. Returns the number of these stages.
    pub async fn retry_failed(&self, sweep: &str) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let retried = sqlx::query(
            "UPDATE stage SET state = 'pending', attempts = 0, failure_class = NULL, reason = NULL, finished_at = NULL,
                 not_before = NULL, beside = NULL
             WHERE state IN ('failed', 'skipped') AND id IN (
                 SELECT rs.stage_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE sr.sweep_id = ?)",
        )
        .bind(sweep)
        .execute(&mut *tx)
        .await?;
        runs_of_sweep(&mut tx, sweep).await?;
        tx.commit().await?;
        Ok(retried.rows_affected())
    }

    /// Copies the numbers of finished evaluations to the runs of a sweep that lack them. A run can lack them if it shares the evaluation
    /// with another run, or if the worker was killed between its two transactions.
    pub async fn settle_evaluations(&self, sweep: &str, artifacts: &Artifacts) -> Result<(), StoreError> {
        // A run has the results of a stage exactly if it has the number that `StageKind::results` names.
        let with_results =
            || StageKind::ALL.into_iter().filter_map(|kind| Some((kind.name(), kind.results()?.to_string())));
        let (kinds, names): (Vec<&str>, Vec<String>) = with_results().unzip();
        let (kinds, names) = (kinds.join("', '"), names.join("', '"));
        let unsettled: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            // CROSS JOIN makes SQLite go from the run to its few stages, instead of scanning all finished stages.
            "SELECT DISTINCT s.id FROM (
                 SELECT sr.run_id FROM sweep_run sr WHERE sr.sweep_id = ?
                   AND (SELECT COUNT(*) FROM run_stage o CROSS JOIN stage e
                        WHERE o.run_id = sr.run_id AND e.id = o.stage_id AND e.kind IN ('{kinds}') AND e.state = 'done')
                     > (SELECT COUNT(*) FROM result x WHERE x.run_id = sr.run_id AND x.name IN ('{names}'))) u
             CROSS JOIN run_stage rs CROSS JOIN stage s
             WHERE rs.run_id = u.run_id AND s.id = rs.stage_id AND s.kind IN ('{kinds}') AND s.state = 'done'"
        )))
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        for (stage,) in unsettled {
            self.settle_results(&Key::from_hex(stage), artifacts).await?;
        }
        Ok(())
    }

    /// Copies the numbers of a finished evaluation to every run that needs them.
    pub async fn settle_results(&self, stage: &Key, artifacts: &Artifacts) -> Result<(), StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT job FROM stage WHERE id = ? AND state = 'done'")
            .bind(stage.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some((job,)) = row else { return Ok(()) };
        let job: StageJob = serde_json::from_str(&job)?;
        let (Some(known), Some(selection)) = (job.kind().results(), job.selection()) else { return Ok(()) };
        if let ArtifactState::Damaged(kind, damage) = self.examine(artifacts, stage, VerifyScope::Digests).await? {
            self.reopen(artifacts, kind, stage, &damage).await?;
            return Ok(());
        }
        let folder = artifacts.path(job.kind(), stage);
        let evaluation =
            Evaluation::read(&folder).map_err(|source| StoreError::Artifact { path: folder.clone(), source })?;

        let mut tx = self.write().await?;
        let runs: Vec<(String, String)> = sqlx::query_as(
            "SELECT r.id, r.protocol_id FROM run r JOIN run_stage rs ON rs.run_id = r.id WHERE rs.stage_id = ?
             AND NOT EXISTS (SELECT 1 FROM result x WHERE x.run_id = r.id AND x.selection = ? AND x.name = ?
                             AND x.protocol_id = r.protocol_id)",
        )
        .bind(stage.as_str())
        .bind(selection.name())
        .bind(known.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for (run, protocol) in runs {
            insert_results(&mut tx, &run, &protocol, selection, &evaluation, &known).await?;
        }
        crate::fault::point("results:before-commit");
        tx.commit().await?;
        crate::fault::point("results:after-commit");
        Ok(())
    }
}

async fn insert_results(
    tx: &mut Tx,
    run: &str,
    protocol: &str,
    selection: Selection,
    evaluation: &Evaluation,
    known: &ResultName,
) -> Result<(), StoreError> {
    let epoch = (*known == ResultName::Fact(Fact::Epoch))
        .then(|| (ResultName::Fact(Fact::Epoch), Measured::value(evaluation.epoch as f64)));
    for (name, measured) in evaluation.results.iter().chain(epoch.iter().map(|(name, measured)| (name, measured))) {
        sqlx::query(
            "INSERT INTO result (run_id, selection, name, value, reason, protocol_id) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (run_id, selection, name) DO UPDATE SET value = excluded.value, reason = excluded.reason,
                 protocol_id = excluded.protocol_id",
        )
        .bind(run)
        .bind(selection.name())
        .bind(name.to_string())
        .bind(measured.value)
        .bind(&measured.reason)
        .bind(protocol)
        .execute(&mut **tx)
        .await?;
    }
    for image in &evaluation.image_scores {
        sqlx::query(
            "INSERT INTO image_score (run_id, selection, image, defect, label, score) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (run_id, selection, image) DO UPDATE SET score = excluded.score, defect = excluded.defect,
                 label = excluded.label",
        )
        .bind(run)
        .bind(selection.name())
        .bind(&image.image)
        .bind(image.defect.as_deref().unwrap_or("good"))
        .bind(i64::from(image.defect.is_some()))
        .bind(f64::from(image.score))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
