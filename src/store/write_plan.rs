//! A whole plan in one transaction: no process ever sees half of it.

use std::collections::HashSet;

use sqlx::{QueryBuilder, Sqlite};

use super::open::Tx;
use super::plan_change::{PlanChange, change, linked_trials};
use super::plan_rows::{ROWS, insert_runs, insert_stages, insert_trials};
use super::{Artifacts, NOW, Store, StoreError, settle};
use crate::plan::{Plan, Sweep};

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
    /// What is new against the sweep as it was planned before; none the first time.
    pub change: Option<PlanChange>,
}

/// A sweep file's place and text.
#[derive(Debug, Clone, Copy)]
pub struct PlanSource<'a> {
    /// Path; none for the embedded demo.
    pub file: Option<&'a str>,
    /// The text that was read.
    pub text: &'a str,
}

impl Store {
    /// Writes a plan: rows that are there are kept, links of the sweep are replaced. Done stages whose artifact is gone
    /// become pending again.
    ///
    /// # Errors
    /// [`StoreError::Replanned`] if `generation` is given and the sweep has another one by now.
    pub async fn write_plan(
        &self,
        sweep: &Sweep,
        source: PlanSource<'_>,
        plan: &Plan,
        artifacts: &Artifacts,
        generation: Option<i64>,
    ) -> Result<PlanOutcome, StoreError> {
        let mut tx = self.write().await?;
        let known: Option<(String, i64)> = sqlx::query_as("SELECT id, generation FROM sweep WHERE name = ?")
            .bind(&sweep.name)
            .fetch_optional(&mut *tx)
            .await?;
        if generation.is_some() && generation != known.as_ref().map(|(_, generation)| *generation) {
            return Err(StoreError::Replanned);
        }
        let before = match &known {
            Some((id, _)) => Some(linked_trials(&mut tx, id).await?),
            None => None,
        };
        let id = upsert_sweep(&mut tx, sweep, source).await?;
        let (stages, cached) = self.add_to_plan(&mut tx, &id, plan, artifacts, (0, 0)).await?;
        settle::revive(&mut tx, &id, sweep.search.pruner.is_none()).await?;
        settle::runs_of_sweep(&mut tx, &id).await?;
        crate::fault::point("plan:before-commit");
        tx.commit().await?;
        crate::fault::point("plan:after-commit");
        if cached > 0 {
            self.settle_evaluations(&id, artifacts).await?;
        }
        let change = before.and_then(|before| change(&before, &plan.trials));
        Ok(PlanOutcome { sweep: id, runs: plan.runs.len(), stages, cached, change })
    }

    /// Adds trials to a sweep that is under way, behind those that it has; returns how many stages and how many of them are done.
    ///
    /// # Errors
    /// [`StoreError::Replanned`] if the sweep has not `trials` trials any more: somebody else was first.
    pub async fn extend_plan(
        &self,
        sweep: &str,
        plan: &Plan,
        artifacts: &Artifacts,
        trials: usize,
    ) -> Result<(usize, usize), StoreError> {
        let mut tx = self.write().await?;
        let (count, position, run): (i64, Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT COUNT(*), MAX(position), (SELECT MAX(position) FROM sweep_run WHERE sweep_id = ?)
             FROM sweep_trial WHERE sweep_id = ?",
        )
        .bind(sweep)
        .bind(sweep)
        .fetch_one(&mut *tx)
        .await?;
        if count != trials as i64 {
            return Err(StoreError::Replanned);
        }
        let next = |position: Option<i64>| position.map_or(0, |position| position as usize + 1);
        let counts = self.add_to_plan(&mut tx, sweep, plan, artifacts, (next(position), next(run))).await?;
        settle::revive(&mut tx, sweep, false).await?;
        settle::runs_of_sweep(&mut tx, sweep).await?;
        crate::fault::point("extend-plan:before-commit");
        tx.commit().await?;
        crate::fault::point("extend-plan:after-commit");
        if counts.1 > 0 {
            self.settle_evaluations(sweep, artifacts).await?;
        }
        Ok(counts)
    }

    async fn add_to_plan(
        &self,
        tx: &mut Tx,
        id: &str,
        plan: &Plan,
        artifacts: &Artifacts,
        first: (usize, usize),
    ) -> Result<(usize, usize), StoreError> {
        insert_trials(tx, id, &plan.trials, first.0).await?;
        let cached = insert_stages(tx, &plan.stages, artifacts).await?;
        insert_runs(tx, id, &plan.runs, first.1).await?;
        Ok((plan.stages.len(), cached))
    }

    /// Keys of the plan's stages that are done already.
    pub async fn done_stages(&self, plan: &Plan) -> Result<HashSet<String>, StoreError> {
        let mut done = HashSet::new();
        for stages in plan.stages.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM stage WHERE state = 'done' AND id IN (");
            let mut keys = query.separated(", ");
            stages.iter().for_each(|stage| {
                keys.push_bind(stage.key.as_str());
            });
            keys.push_unseparated(")");
            let rows: Vec<(String,)> = query.build_query_as().fetch_all(&self.pool).await?;
            done.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(done)
    }

    /// How often a sweep was planned, and the searched values of its trials in their order; none if there is no such sweep.
    pub async fn planned_axes(&self, name: &str) -> Result<Option<(i64, Vec<String>)>, StoreError> {
        let Some((id, generation)): Option<(String, i64)> =
            sqlx::query_as("SELECT id, generation FROM sweep WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.pool)
                .await?
        else {
            return Ok(None);
        };
        let axes: Vec<(String,)> =
            sqlx::query_as("SELECT axes FROM sweep_trial WHERE sweep_id = ? AND baseline = 0 ORDER BY position")
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
        Ok(Some((generation, axes.into_iter().map(|(axes,)| axes).collect())))
    }
}

async fn upsert_sweep(tx: &mut Tx, sweep: &Sweep, source: PlanSource<'_>) -> Result<String, StoreError> {
    let resolved = serde_json::to_string(&serde_json::json!({
        "search": sweep.search, "report": sweep.report, "baseline": sweep.baseline,
    }))?;
    let (id,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "INSERT INTO sweep (id, name, question, file, source, resolved, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, {NOW}, {NOW})
         ON CONFLICT (name) DO UPDATE SET question = excluded.question, file = excluded.file, source = excluded.source,
             resolved = excluded.resolved, updated_at = excluded.updated_at, generation = sweep.generation + 1
         RETURNING id"
    )))
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(&sweep.name)
    .bind(&sweep.question)
    .bind(source.file)
    .bind(source.text)
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
