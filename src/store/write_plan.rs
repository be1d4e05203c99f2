//! Writes a plan in one transaction, so that no process sees an incomplete plan.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::artifacts::Recorded;
use super::database::Tx;
use super::origin::StoredOrigin;
use super::plan_change::{PlanChange, change, linked_trials};
use super::plan_rows::{First, insert_plan};
use super::sql::{ROWS_PER_STATEMENT, list, sql};
use super::{Artifacts, NOW, PlanSource, Store, StoreError, derived, repair, settle};
use crate::config::{BASELINE, Sweep};
use crate::plan::{Plan, PlannedTrial};
use crate::stages::{Key, StageKind};

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
    /// Whether it is a trial of the search, and not ST-FPM.
    pub searched: bool,
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
        let written = digest_of(plan)?;
        let mut tx = self.write().await?;
        let known: Option<(i64, i64)> =
            sql("SELECT id, generation FROM sweeps WHERE name = $1").bind(&sweep.name).optional(&mut tx).await?;
        if generation.is_some() && generation != known.map(|(_, generation)| generation) {
            return Err(StoreError::Replanned);
        }
        if let Some((id, _)) = known.filter(|_| !source.replace) {
            refuse_other_file(&mut tx, id, &sweep.name, source).await?;
        }
        let before = match known {
            Some((id, _)) => Some(linked_trials(&mut tx, id).await?),
            None => None,
        };
        let (id, key, is_written) = upsert_sweep(&mut tx, sweep, source, &written).await?;
        if !is_written {
            for table in ["sweep_trials", "sweep_runs"] {
                sql(format!("DELETE FROM {table} WHERE sweep_id = $1")).bind(id).execute(&mut tx).await?;
            }
            let gained = insert_plan(&mut tx, id, plan, First::default()).await?;
            derived::rebuild(&mut tx, id).await?;
            if gained {
                derived::rebuild_sharing(&mut tx, id).await?;
            }
            sql("UPDATE sweeps SET written = CASE WHEN id = $1 THEN $2 END")
                .bind(id)
                .bind(&written)
                .execute(&mut tx)
                .await?;
            tx.gather_statistics().await?;
        }
        let cached = reopen_damaged(&mut tx, id, artifacts, 0).await?;
        let revived = settle::revive(&mut tx, id, sweep.search.pruner.is_none(), 0).await?;
        settle::runs_of_sweep(&mut tx, id, 0).await?;
        let titles: HashMap<String, String> = linked_trials(&mut tx, id).await?.into_iter().collect();
        crate::fault::point("plan:before-commit");
        tx.commit().await?;
        crate::fault::point("plan:after-commit");
        if cached > 0 {
            self.settle_evaluations(&key, artifacts).await?;
        }
        let title = |trial: &PlannedTrial| titles.get(trial.key.as_str()).cloned().unwrap_or_default();
        let change = before.and_then(|before| change(&before, &plan.trials, title));
        Ok(PlanOutcome { sweep: key, runs: plan.runs.len(), stages: plan.stages.len(), cached, change, revived })
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
        let (id, count, trial, run): (Option<i64>, i64, Option<i64>, Option<i64>) =
            sql("SELECT MAX(w.id), COUNT(st.trial_id), MAX(st.position),
                    (SELECT MAX(position) FROM sweep_runs WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1))
             FROM sweeps w LEFT JOIN sweep_trials st ON st.sweep_id = w.id WHERE w.key = $1")
            .bind(sweep)
            .one(&mut tx)
            .await?;
        let Some(id) = id.filter(|_| count == trials as i64) else { return Err(StoreError::Replanned) };
        let next = |position: Option<i64>| position.map_or(0, |position| position + 1);
        let first = First { trial: next(trial), run: next(run) };
        let gained = insert_plan(&mut tx, id, plan, first).await?;
        derived::extend(&mut tx, id, first.run).await?;
        if gained {
            derived::rebuild_sharing(&mut tx, id).await?;
        }
        // The sweep has more rows than were planned at its start.
        sql("UPDATE sweeps SET written = NULL").execute(&mut tx).await?;
        let cached = reopen_damaged(&mut tx, id, artifacts, first.run).await?;
        settle::revive(&mut tx, id, false, first.run).await?;
        settle::runs_of_sweep(&mut tx, id, first.run).await?;
        crate::fault::point("extend-plan:before-commit");
        tx.commit().await?;
        crate::fault::point("extend-plan:after-commit");
        if cached > 0 {
            self.settle_evaluations(sweep, artifacts).await?;
        }
        Ok((plan.stages.len(), cached))
    }

    /// Returns the keys of the plan's stages that are already done.
    pub async fn done_stages(&self, plan: &Plan) -> Result<HashSet<String>, StoreError> {
        let mut done = HashSet::new();
        for stages in plan.stages.chunks(ROWS_PER_STATEMENT) {
            let query = format!("SELECT key FROM stages WHERE state = 'done' AND key IN ({})", list(1, stages.len()));
            let keys: Vec<String> =
                sql(query).bind_all(stages.iter().map(|stage| stage.key.as_str())).column(self).await?;
            done.extend(keys);
        }
        Ok(done)
    }

    /// Returns how often a sweep was planned, and the trials that its search drew, in order, ST-FPM's among
    /// them. Returns `None` if there is no such sweep.
    pub async fn planned_trials(&self, name: &str) -> Result<Option<(i64, Vec<StoredTrial>)>, StoreError> {
        let known: Option<(i64, i64)> =
            sql("SELECT id, generation FROM sweeps WHERE name = $1").bind(name).optional(self).await?;
        let Some((id, generation)) = known else { return Ok(None) };
        let trials: Vec<(String, bool, bool)> = sql("SELECT st.axes, NOT EXISTS (
                 SELECT 1 FROM runs r JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = st.sweep_id
                 WHERE r.trial_id = st.trial_id AND r.state = 'pending'), st.variant <> $2
             FROM sweep_trials st WHERE st.sweep_id = $1 AND st.baseline = 0 ORDER BY st.position")
        .bind(id)
        .bind(BASELINE)
        .all(self)
        .await?;
        let stored = |(axes, ended, searched)| StoredTrial { axes, ended, searched };
        Ok(Some((generation, trials.into_iter().map(stored).collect())))
    }
}

/// Returns the digest of everything that a plan writes.
fn digest_of(plan: &Plan) -> Result<String, StoreError> {
    let jobs: Result<Vec<blake3::Hash>, serde_json::Error> = plan
        .stages
        .par_iter()
        .map(|stage| {
            let row = serde_json::to_vec(&(&stage.key, &stage.job, &stage.effort.cost_class, stage.effort.work))?;
            Ok(blake3::hash(&row))
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    hasher.update(crate::VERSION.as_bytes());
    for job in jobs? {
        hasher.update(job.as_bytes());
    }
    for trial in &plan.trials {
        hasher.update(&serde_json::to_vec(&(&trial.key, &trial.trial))?);
    }
    for run in &plan.runs {
        for key in std::iter::once(&run.key).chain(&run.stages) {
            hasher.update(key.as_str().as_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

super::row::row! {
    struct DoneStage {
        key: String,
        kind: StageKind,
        digest: Option<String>,
        bytes: Option<i64>,
    }
}

/// Verifies the artifacts of a sweep's done stages, from its run at position `first` on. Stages with damaged artifacts become pending.
/// Returns the number of the others.
async fn reopen_damaged(tx: &mut Tx, sweep: i64, artifacts: &Artifacts, first: i64) -> Result<usize, StoreError> {
    // A stage that runs share has the position of the first of them.
    let which = match first {
        0 => "SELECT stage_id FROM sweep_stages WHERE sweep_id = $1",
        _ => {
            "SELECT rs.stage_id FROM sweep_runs sr JOIN run_stages rs ON rs.run_id = sr.run_id
              WHERE sr.sweep_id = $1 AND sr.position >= $2"
        }
    };
    let query = sql(format!(
        "SELECT s.key, s.kind, a.digest, a.bytes FROM stages s LEFT JOIN artifacts a ON a.stage_id = s.id
         WHERE s.state = 'done' AND s.id IN ({which}) ORDER BY s.id"
    ));
    let query = query.bind(sweep);
    let query = if first == 0 { query } else { query.bind(first) };
    let stages: Vec<DoneStage> = query.all(&mut *tx).await?;
    // Only sizes are compared here. Digests are compared when a stage reads the files.
    let keys: Vec<Key> = stages.iter().map(|stage| Key::from_hex(stage.key.clone())).collect();
    let recorded = |(stage, key)| -> Recorded<'_> {
        let (stage, key): (&DoneStage, &Key) = (stage, key);
        let bytes = stage.bytes.unwrap_or_default() as u64;
        Recorded { kind: stage.kind, key, digest: stage.digest.as_deref(), bytes }
    };
    let recorded: Vec<Recorded<'_>> = stages.iter().zip(&keys).map(recorded).collect();
    let mut intact = 0;
    for (artifact, damage) in recorded.iter().zip(artifacts.compare(&recorded)?) {
        match damage {
            Some(damage) => drop(repair::reopen(tx, artifacts, artifact.kind, artifact.key, &damage).await?),
            None => intact += 1,
        }
    }
    Ok(intact)
}

async fn refuse_other_file(tx: &mut Tx, id: i64, name: &str, source: &PlanSource) -> Result<(), StoreError> {
    let (origin, text): (String, String) =
        sql("SELECT origin, source FROM sweeps WHERE id = $1").bind(id).one(&mut *tx).await?;
    let stored = StoredOrigin { origin, source: text };
    match source.is_other(&stored) {
        true => {
            Err(StoreError::OtherFile { name: name.to_owned(), known: stored.origin, given: source.origin.clone() })
        }
        false => Ok(()),
    }
}

/// Inserts or updates the row of a sweep. Returns its id, its key, and whether its planned rows have been written already.
async fn upsert_sweep(
    tx: &mut Tx,
    sweep: &Sweep,
    source: &PlanSource,
    written: &str,
) -> Result<(i64, String, bool), StoreError> {
    let resolved = serde_json::to_string(&serde_json::json!({
        "search": sweep.search, "report": sweep.report, "decide": sweep.decide, "baseline": sweep.baseline,
    }))?;
    sql(format!(
        "INSERT INTO sweeps (id, key, name, question, file, origin, folder, overrides, source, resolved, plan, created_at, updated_at)
         VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM sweeps), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {NOW}, {NOW})
         ON CONFLICT (name) DO UPDATE SET question = excluded.question, file = excluded.file, origin = excluded.origin,
             folder = excluded.folder, overrides = excluded.overrides, source = excluded.source, resolved = excluded.resolved,
             plan = excluded.plan, updated_at = excluded.updated_at, generation = sweeps.generation + 1
         RETURNING id, key, COALESCE(written = $11, FALSE)"
    ))
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
    .bind(written)
    .one(tx)
    .await
}
