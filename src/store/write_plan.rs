//! A whole plan in one transaction: no process ever sees half of it.

use sqlx::{Sqlite, Transaction};

use super::{Artifacts, NOW, Store, StoreError, settle};
use crate::plan::{Key, Plan, StageKind, Sweep};

/// What planning found already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOutcome {
    /// The sweep's id.
    pub sweep: String,
    /// Runs of the sweep.
    pub runs: usize,
    /// Stages of the sweep, shared ones once.
    pub stages: usize,
    /// Stages that were done before.
    pub cached: usize,
}

type Tx = Transaction<'static, Sqlite>;

impl Store {
    /// Writes a plan: rows that are there are kept, links of the sweep are replaced. Done stages whose artifact is gone
    /// become pending again.
    pub async fn write_plan(
        &self,
        sweep: &Sweep,
        source: &str,
        plan: &Plan,
        artifacts: &Artifacts,
    ) -> Result<PlanOutcome, StoreError> {
        let mut tx = self.write().await?;
        let id = upsert_sweep(&mut tx, sweep, source).await?;
        for (position, planned) in plan.trials.iter().enumerate() {
            let settings = json(&planned.trial.trial)?;
            sqlx::query("INSERT INTO trial (id, settings) VALUES (?, ?) ON CONFLICT (id) DO NOTHING")
                .bind(planned.key.as_str())
                .bind(settings)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO sweep_trial (sweep_id, trial_id, position, axes, variant, baseline) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(&id)
            .bind(planned.key.as_str())
            .bind(position as i64)
            .bind(json(&planned.trial.axes)?)
            .bind(&planned.trial.variant)
            .bind(i64::from(planned.trial.baseline))
            .execute(&mut *tx)
            .await?;
        }
        let mut cached = 0;
        for stage in &plan.stages {
            cached += usize::from(insert_stage(&mut tx, stage, artifacts).await?);
        }
        for (position, run) in plan.runs.iter().enumerate() {
            insert_run(&mut tx, &id, position, run).await?;
        }
        settle::revive(&mut tx, &id).await?;
        settle::runs_of_sweep(&mut tx, &id).await?;
        tx.commit().await?;
        self.settle_evaluations(plan, artifacts).await?;
        Ok(PlanOutcome { sweep: id, runs: plan.runs.len(), stages: plan.stages.len(), cached })
    }

    /// Copies the numbers of all finished evaluations of a plan to the runs that lack them: those that share one, and those
    /// whose worker was killed between its two transactions.
    pub async fn settle_evaluations(&self, plan: &Plan, artifacts: &Artifacts) -> Result<(), StoreError> {
        for stage in plan.stages.iter().filter(|stage| stage.job.kind() == StageKind::Evaluate) {
            self.settle_results(&stage.key, artifacts).await?;
        }
        Ok(())
    }

    /// How many of these stages are done already.
    pub async fn count_done(&self, plan: &Plan) -> Result<usize, StoreError> {
        let mut done = 0;
        for stage in &plan.stages {
            let row: Option<(String,)> = sqlx::query_as("SELECT id FROM stage WHERE id = ? AND state = 'done'")
                .bind(stage.key.as_str())
                .fetch_optional(&self.pool)
                .await?;
            done += usize::from(row.is_some());
        }
        Ok(done)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Row(error.to_string()))
}

async fn upsert_sweep(tx: &mut Tx, sweep: &Sweep, source: &str) -> Result<String, StoreError> {
    let resolved = json(&serde_json::json!({
        "search": sweep.search, "report": sweep.report, "baseline": sweep.baseline,
    }))?;
    let (id,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "INSERT INTO sweep (id, name, question, source, resolved, created_at, updated_at) VALUES (?, ?, ?, ?, ?, {NOW}, {NOW})
         ON CONFLICT (name) DO UPDATE SET question = excluded.question, source = excluded.source,
             resolved = excluded.resolved, updated_at = excluded.updated_at
         RETURNING id"
    )))
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(&sweep.name)
    .bind(&sweep.question)
    .bind(source)
    .bind(resolved)
    .fetch_one(&mut **tx)
    .await?;
    for table in ["sweep_trial", "sweep_run"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE sweep_id = ?")))
            .bind(&id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(id)
}

/// Returns whether the stage is done.
async fn insert_stage(
    tx: &mut Tx,
    stage: &crate::plan::PlannedStage,
    artifacts: &Artifacts,
) -> Result<bool, StoreError> {
    let kind = stage.job.kind();
    // The job's paths are renewed: the same images may lie elsewhere now.
    let (state,): (String,) = sqlx::query_as(
        "INSERT INTO stage (id, kind, job) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET job = excluded.job RETURNING state",
    )
    .bind(stage.key.as_str())
    .bind(kind.name())
    .bind(json(&stage.job)?)
    .fetch_one(&mut **tx)
    .await?;
    for needed in stage.job.dependencies() {
        sqlx::query("INSERT INTO stage_dependency (stage_id, needs_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(stage.key.as_str())
            .bind(needed.as_str())
            .execute(&mut **tx)
            .await?;
    }
    if state == "done" && !artifacts.path(kind, &stage.key).is_dir() {
        reopen(tx, &stage.key).await?;
        return Ok(false);
    }
    Ok(state == "done")
}

async fn reopen(tx: &mut Tx, key: &Key) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE stage SET state = 'pending', reason = 'its artifact was gone', attempts = 0, finished_at = NULL
         WHERE id = ?",
    )
    .bind(key.as_str())
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM artifact WHERE stage_id = ?").bind(key.as_str()).execute(&mut **tx).await?;
    Ok(())
}

async fn insert_run(
    tx: &mut Tx,
    sweep: &str,
    position: usize,
    run: &crate::plan::PlannedRun,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO protocol (id, content) VALUES (?, ?) ON CONFLICT (id) DO NOTHING")
        .bind(run.protocol_key.as_str())
        .bind(run.protocol.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO run (id, trial_id, category, seed, protocol_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(run.key.as_str())
    .bind(run.trial.as_str())
    .bind(&run.category)
    .bind(run.seed as i64)
    .bind(run.protocol_key.as_str())
    .execute(&mut **tx)
    .await?;
    for (place, stage) in run.stages.iter().enumerate() {
        sqlx::query("INSERT INTO run_stage (run_id, stage_id, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(run.key.as_str())
            .bind(stage.as_str())
            .bind(place as i64)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("INSERT INTO sweep_run (sweep_id, run_id, position) VALUES (?, ?, ?)")
        .bind(sweep)
        .bind(run.key.as_str())
        .bind(position as i64)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
