//! Writes a plan in one transaction, so that no process sees an incomplete plan.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, Sqlite};

use super::open::Tx;
use super::origin::StoredOrigin;
use super::plan_change::{PlanChange, change, linked_trials};
use super::plan_rows::{ROWS_PER_STATEMENT, insert_runs, insert_stages, insert_trials};
use super::{Artifacts, NOW, PlanSource, Store, StoreError, settle};
use crate::config::Sweep;
use crate::plan::{Plan, PlannedTrial};

/// The result of writing a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOutcome {
    /// Id of the sweep.
    pub sweep: String,
    /// Number of runs of the sweep.
    pub runs: usize,
    /// Number of distinct stages of the sweep.
    pub stages: usize,
    /// Number of stages that were already done.
    pub cached: usize,
    /// Changes since the previous plan. `None` for a new sweep.
    pub change: Option<PlanChange>,
    /// Titles of cancelled runs that are pending again.
    pub revived: Vec<String>,
}

/// A trial of a sweep, as it was planned before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTrial {
    /// Searched values, as JSON.
    pub axes: String,
    /// Whether all its runs have ended.
    pub ended: bool,
}

impl Store {
    /// Writes a plan. Existing rows are kept, and the links of the sweep are replaced. Done stages whose artifact is missing become
    /// pending again.
    ///
    /// # Errors
    /// [`StoreError::Replanned`] if `generation` is given and differs from the sweep's generation. [`StoreError::OtherFile`] if the
    /// sweep was made from another file and the source does not allow replacing it.
    pub async fn write_plan(
        &self,
        sweep: &Sweep,
        source: &PlanSource,
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
        if let Some((id, _)) = known.as_ref().filter(|_| !source.replace) {
            refuse_other_file(&mut tx, id, &sweep.name, source).await?;
        }
        let before = match &known {
            Some((id, _)) => Some(linked_trials(&mut tx, id).await?),
            None => None,
        };
        let id = upsert_sweep(&mut tx, sweep, source).await?;
        let (stages, cached) = self.add_to_plan(&mut tx, &id, plan, artifacts, (0, 0)).await?;
        let revived = settle::revive(&mut tx, &id, sweep.search.pruner.is_none(), 0).await?;
        settle::runs_of_sweep(&mut tx, &id).await?;
        let titles: HashMap<String, String> = linked_trials(&mut tx, &id).await?.into_iter().collect();
        crate::fault::point("plan:before-commit");
        tx.commit().await?;
        crate::fault::point("plan:after-commit");
        if cached > 0 {
            self.settle_evaluations(&id, artifacts).await?;
        }
        let title = |trial: &PlannedTrial| titles.get(trial.key.as_str()).cloned().unwrap_or_default();
        let change = before.and_then(|before| change(&before, &plan.trials, title));
        Ok(PlanOutcome { sweep: id, runs: plan.runs.len(), stages, cached, change, revived })
    }

    /// Appends trials to a sweep that is running. Returns the number of their stages, and how many of these are done.
    ///
    /// # Errors
    /// [`StoreError::Replanned`] if the sweep no longer has exactly `trials` trials: another process was first.
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
        let first = next(run);
        let counts = self.add_to_plan(&mut tx, sweep, plan, artifacts, (next(position), first)).await?;
        settle::revive(&mut tx, sweep, false, first).await?;
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

    /// Returns the keys of the plan's stages that are already done.
    pub async fn done_stages(&self, plan: &Plan) -> Result<HashSet<String>, StoreError> {
        let mut done = HashSet::new();
        for stages in plan.stages.chunks(ROWS_PER_STATEMENT) {
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

    /// Returns how often a sweep was planned, and its trials without baselines, in order. Returns `None` if there is no such sweep.
    pub async fn planned_trials(&self, name: &str) -> Result<Option<(i64, Vec<StoredTrial>)>, StoreError> {
        let Some((id, generation)): Option<(String, i64)> =
            sqlx::query_as("SELECT id, generation FROM sweep WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.pool)
                .await?
        else {
            return Ok(None);
        };
        let trials: Vec<(String, bool)> = sqlx::query_as(
            "SELECT st.axes, NOT EXISTS (
                 SELECT 1 FROM run r JOIN sweep_run sr ON sr.run_id = r.id AND sr.sweep_id = st.sweep_id
                 WHERE r.trial_id = st.trial_id AND r.state IN ('pending', 'running'))
             FROM sweep_trial st WHERE st.sweep_id = ? AND st.baseline = 0 ORDER BY st.position",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        Ok(Some((generation, trials.into_iter().map(|(axes, ended)| StoredTrial { axes, ended }).collect())))
    }
}

async fn refuse_other_file(tx: &mut Tx, id: &str, name: &str, source: &PlanSource) -> Result<(), StoreError> {
    let (origin, text): (String, String) =
        sqlx::query_as("SELECT origin, source FROM sweep WHERE id = ?").bind(id).fetch_one(&mut **tx).await?;
    let stored = StoredOrigin { origin, source: text };
    match source.is_other(&stored) {
        true => {
            Err(StoreError::OtherFile { name: name.to_owned(), known: stored.origin, given: source.origin.clone() })
        }
        false => Ok(()),
    }
}

async fn upsert_sweep(tx: &mut Tx, sweep: &Sweep, source: &PlanSource) -> Result<String, StoreError> {
    let resolved = serde_json::to_string(&serde_json::json!({
        "search": sweep.search, "report": sweep.report, "baseline": sweep.baseline,
    }))?;
    let (id,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "INSERT INTO sweep (id, name, question, file, origin, folder, overrides, source, resolved, plan, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NOW}, {NOW})
         ON CONFLICT (name) DO UPDATE SET question = excluded.question, file = excluded.file, origin = excluded.origin,
             folder = excluded.folder, overrides = excluded.overrides, source = excluded.source, resolved = excluded.resolved,
             plan = excluded.plan, updated_at = excluded.updated_at, generation = sweep.generation + 1
         RETURNING id"
    )))
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(&sweep.name)
    .bind(&sweep.question)
    .bind(&source.file)
    .bind(&source.origin)
    .bind(&source.folder)
    .bind(serde_json::to_string(&source.overrides)?)
    .bind(&source.text)
    .bind(resolved)
    .bind(&source.plan)
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
