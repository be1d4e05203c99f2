//! A whole plan in one transaction: no process ever sees half of it.

use std::collections::HashSet;

use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::{Artifacts, NOW, Store, StoreError, settle};
use crate::plan::{Key, Plan, PlannedRun, PlannedStage, PlannedTrial, StageKind, Sweep};

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

/// What a changed sweep file changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanChange {
    /// Trials that were not there, as the report names them.
    pub added: Vec<String>,
    /// Trials that are no longer wanted; their numbers stay in the store.
    pub removed: Vec<String>,
    /// Trials that stay.
    pub kept: usize,
}

/// A sweep file's place and text.
#[derive(Debug, Clone, Copy)]
pub struct PlanSource<'a> {
    /// Path; none for the embedded demo.
    pub file: Option<&'a str>,
    /// The text that was read.
    pub text: &'a str,
}

pub(super) type Tx = Transaction<'static, Sqlite>;

/// Rows an INSERT: SQLite takes at most 32,766 values a statement.
const ROWS: usize = 2000;

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
        self.settle_evaluations(plan, artifacts).await?;
        let change = before.map(|before| change(&before, &plan.trials)).filter(|change| {
            // The same trials in another order are no change.
            !change.added.is_empty() || !change.removed.is_empty()
        });
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
        self.settle_evaluations(plan, artifacts).await?;
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

    /// Copies the numbers of all finished evaluations of a plan to the runs that lack them: those that share one, and those
    /// whose worker was killed between its two transactions.
    pub async fn settle_evaluations(&self, plan: &Plan, artifacts: &Artifacts) -> Result<(), StoreError> {
        let done = self.done_stages(plan).await?;
        let evaluations = plan.stages.iter().filter(|stage| stage.job.kind() == StageKind::Evaluate);
        for stage in evaluations.filter(|stage| done.contains(stage.key.as_str())) {
            self.settle_results(&stage.key, artifacts).await?;
        }
        Ok(())
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

    /// What a plan changes against the sweep as it stands; none if there is no such sweep, or nothing changes.
    pub async fn change(&self, name: &str, plan: &Plan) -> Result<Option<PlanChange>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT st.trial_id, st.variant FROM sweep_trial st JOIN sweep s ON s.id = st.sweep_id WHERE s.name = ?
             ORDER BY st.position",
        )
        .bind(name)
        .fetch_all(&self.pool)
        .await?;
        let change = change(&rows, &plan.trials);
        Ok((!rows.is_empty() && (!change.added.is_empty() || !change.removed.is_empty())).then_some(change))
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

async fn linked_trials(tx: &mut Tx, sweep: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as("SELECT trial_id, variant FROM sweep_trial WHERE sweep_id = ? ORDER BY position")
        .bind(sweep)
        .fetch_all(&mut **tx)
        .await?)
}

fn change(before: &[(String, String)], trials: &[PlannedTrial]) -> PlanChange {
    let label = |trial: &PlannedTrial| match trial.trial.axes.is_empty() {
        true => trial.trial.variant.clone(),
        false => trial.trial.axes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", "),
    };
    let known: HashSet<&str> = before.iter().map(|(id, _)| id.as_str()).collect();
    let wanted: HashSet<&str> = trials.iter().map(|trial| trial.key.as_str()).collect();
    PlanChange {
        added: trials.iter().filter(|trial| !known.contains(trial.key.as_str())).map(label).collect(),
        removed: before
            .iter()
            .filter(|(id, _)| !wanted.contains(id.as_str()))
            .map(|(_, label)| label.clone())
            .collect(),
        kept: before.iter().filter(|(id, _)| wanted.contains(id.as_str())).count(),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Row(error.to_string()))
}

async fn upsert_sweep(tx: &mut Tx, sweep: &Sweep, source: PlanSource<'_>) -> Result<String, StoreError> {
    let resolved = json(&serde_json::json!({
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

async fn insert_trials(tx: &mut Tx, sweep: &str, trials: &[PlannedTrial], first: usize) -> Result<(), StoreError> {
    for (chunk, trials) in trials.chunks(ROWS).enumerate() {
        let settings = trials.iter().map(|planned| json(&planned.trial.trial)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO trial (id, settings) ");
        rows.push_values(trials.iter().zip(settings), |mut row, (planned, settings)| {
            row.push_bind(planned.key.as_str()).push_bind(settings);
        });
        rows.push(" ON CONFLICT (id) DO NOTHING").build().execute(&mut **tx).await?;
        let axes = trials.iter().map(|planned| json(&planned.trial.axes)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new(
            "INSERT INTO sweep_trial (sweep_id, trial_id, position, axes, variant, baseline) ",
        );
        rows.push_values(trials.iter().zip(axes).enumerate(), |mut row, (place, (planned, axes))| {
            row.push_bind(sweep)
                .push_bind(planned.key.as_str())
                .push_bind((first + chunk * ROWS + place) as i64)
                .push_bind(axes)
                .push_bind(planned.trial.variant.as_str())
                .push_bind(i64::from(planned.trial.baseline));
        });
        // A trial that is there already keeps its place.
        rows.push(" ON CONFLICT (sweep_id, trial_id) DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
}

/// Returns how many of the stages are done.
async fn insert_stages(tx: &mut Tx, stages: &[PlannedStage], artifacts: &Artifacts) -> Result<usize, StoreError> {
    let mut cached = 0;
    for stages in stages.chunks(ROWS) {
        let jobs = stages.iter().map(|stage| json(&stage.job)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO stage (id, kind, job, family, work) ");
        rows.push_values(stages.iter().zip(jobs), |mut row, (stage, job)| {
            row.push_bind(stage.key.as_str())
                .push_bind(stage.job.kind().name())
                .push_bind(job)
                .push_bind(stage.effort.family.as_str())
                .push_bind(stage.effort.work);
        });
        // The job's paths are renewed: the same images may lie elsewhere now.
        rows.push(
            " ON CONFLICT (id) DO UPDATE SET job = excluded.job, family = excluded.family, work = excluded.work
              RETURNING id, state",
        );
        let states: Vec<(String, String)> = rows.build_query_as().fetch_all(&mut **tx).await?;
        let done: HashSet<String> = states.into_iter().filter(|(_, state)| state == "done").map(|(id, _)| id).collect();
        for stage in stages.iter().filter(|stage| done.contains(stage.key.as_str())) {
            match artifacts.path(stage.job.kind(), &stage.key).is_dir() {
                true => cached += 1,
                false => reopen(tx, &stage.key).await?,
            }
        }
        insert_dependencies(tx, stages).await?;
    }
    Ok(cached)
}

async fn insert_dependencies(tx: &mut Tx, stages: &[PlannedStage]) -> Result<(), StoreError> {
    let pairs: Vec<(&Key, Key)> = stages
        .iter()
        .flat_map(|stage| stage.job.dependencies().into_iter().map(move |needed| (&stage.key, needed)))
        .collect();
    for pairs in pairs.chunks(ROWS) {
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO stage_dependency (stage_id, needs_id) ");
        rows.push_values(pairs, |mut row, (stage, needed)| {
            row.push_bind(stage.as_str()).push_bind(needed.as_str());
        });
        rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
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

async fn insert_runs(tx: &mut Tx, sweep: &str, runs: &[PlannedRun], first: usize) -> Result<(), StoreError> {
    for (chunk, runs) in runs.chunks(ROWS).enumerate() {
        let mut seen = HashSet::new();
        let protocols = runs.iter().filter(|run| seen.insert(run.protocol_key.as_str()));
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO protocol (id, content) ");
        rows.push_values(protocols, |mut row, run| {
            row.push_bind(run.protocol_key.as_str()).push_bind(run.protocol.to_string());
        });
        rows.push(" ON CONFLICT (id) DO NOTHING").build().execute(&mut **tx).await?;

        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO run (id, trial_id, category, seed, protocol_id) ");
        rows.push_values(runs, |mut row, run| {
            row.push_bind(run.key.as_str())
                .push_bind(run.trial.as_str())
                .push_bind(run.category.as_str())
                .push_bind(run.seed as i64)
                .push_bind(run.protocol_key.as_str());
        });
        rows.push(" ON CONFLICT (id) DO NOTHING").build().execute(&mut **tx).await?;

        let links: Vec<(&Key, usize, &Key)> = runs
            .iter()
            .flat_map(|run| run.stages.iter().enumerate().map(move |(place, stage)| (&run.key, place, stage)))
            .collect();
        for links in links.chunks(ROWS) {
            let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO run_stage (run_id, position, stage_id) ");
            rows.push_values(links, |mut row, (run, place, stage)| {
                row.push_bind(run.as_str()).push_bind(*place as i64).push_bind(stage.as_str());
            });
            rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
        }

        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO sweep_run (sweep_id, run_id, position) ");
        rows.push_values(runs.iter().enumerate(), |mut row, (place, run)| {
            row.push_bind(sweep).push_bind(run.key.as_str()).push_bind((first + chunk * ROWS + place) as i64);
        });
        rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
}
