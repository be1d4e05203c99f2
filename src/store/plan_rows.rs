//! Writes the rows of a plan, thousands per statement.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use sqlx::{QueryBuilder, Sqlite};

use super::open::Tx;
use super::{Artifacts, StageStatus, StoreError, VerifyScope, repair};
use crate::config::SweepTrial;
use crate::plan::{PlannedRun, PlannedStage, PlannedTrial, trial_id, trial_settings, trial_title};
use crate::stages::Key;

/// Rows per INSERT. SQLite accepts at most 32,766 values per statement.
pub(super) const ROWS_PER_STATEMENT: usize = 2000;

/// Inserts trials and their positions in a sweep, starting at position `first`.
pub(super) async fn insert_trials(
    tx: &mut Tx,
    sweep: &str,
    trials: &[PlannedTrial],
    first: usize,
) -> Result<(), StoreError> {
    let mut numbers = known_numbers(tx, sweep).await?;
    for (chunk, trials) in trials.chunks(ROWS_PER_STATEMENT).enumerate() {
        let settings =
            trials.iter().map(|planned| serde_json::to_string(&planned.trial.trial)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO trial (id, settings) ");
        rows.push_values(trials.iter().zip(settings), |mut row, (planned, settings)| {
            row.push_bind(planned.key.as_str()).push_bind(settings);
        });
        rows.push(" ON CONFLICT (id) DO NOTHING").build().execute(&mut **tx).await?;
        number(tx, sweep, trials, &mut numbers).await?;
        let written = trials
            .iter()
            .map(|planned| {
                let SweepTrial { axes, point, .. } = &planned.trial;
                Ok((serde_json::to_string(axes)?, serde_json::to_string(point)?))
            })
            .collect::<Result<Vec<_>, serde_json::Error>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new(
            "INSERT INTO sweep_trial (sweep_id, trial_id, position, axes, point, variant, baseline, number, title) ",
        );
        rows.push_values(trials.iter().zip(written).enumerate(), |mut row, (position, (planned, (axes, point)))| {
            let SweepTrial { variant, baseline, .. } = &planned.trial;
            let number = numbers.get(planned.key.as_str()).copied().unwrap_or_default();
            row.push_bind(sweep)
                .push_bind(planned.key.as_str())
                .push_bind((first + chunk * ROWS_PER_STATEMENT + position) as i64)
                .push_bind(axes)
                .push_bind(point)
                .push_bind(variant.as_str())
                .push_bind(i64::from(*baseline))
                .push_bind(number)
                .push_bind(title(number, &planned.trial));
        });
        // A trial that already exists keeps its position.
        rows.push(" ON CONFLICT (sweep_id, trial_id) DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
}

/// Returns the id and the settings. A baseline that is also a point of the search keeps its name as well.
fn title(number: i64, trial: &SweepTrial) -> String {
    let title = trial_title(number, &trial.variant, &trial.axes);
    match trial.baseline && !trial.axes.is_empty() {
        true => format!("{} {}, {}", trial_id(number), trial.variant, trial_settings(&trial.variant, &trial.axes)),
        false => title,
    }
}

/// Assigns the next free numbers, in order, to trials that have no number in the sweep yet.
async fn number(
    tx: &mut Tx,
    sweep: &str,
    trials: &[PlannedTrial],
    numbers: &mut HashMap<String, i64>,
) -> Result<(), StoreError> {
    let next = numbers.values().max().copied().unwrap_or(0) + 1;
    let keys = trials.iter().map(|planned| planned.key.as_str());
    let new: Vec<(String, i64)> =
        keys.filter(|key| !numbers.contains_key(*key)).map(str::to_owned).zip(next..).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO trial_number (sweep_id, trial_id, number) ");
    rows.push_values(&new, |mut row, (key, number)| {
        row.push_bind(sweep).push_bind(key).push_bind(*number);
    });
    rows.build().execute(&mut **tx).await?;
    numbers.extend(new);
    Ok(())
}

/// Returns the numbers assigned in a sweep, by trial key. Trials that have left the sweep are included.
async fn known_numbers(tx: &mut Tx, sweep: &str) -> Result<HashMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT trial_id, number FROM trial_number WHERE sweep_id = ?")
        .bind(sweep)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Inserts stages and their dependencies. Returns how many of the stages are already done.
pub(super) async fn insert_stages(
    tx: &mut Tx,
    stages: &[PlannedStage],
    artifacts: &Artifacts,
) -> Result<usize, StoreError> {
    let mut cached = 0;
    for stages in stages.chunks(ROWS_PER_STATEMENT) {
        let jobs = stages.iter().map(|stage| serde_json::to_string(&stage.job)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO stage (id, kind, job, family, work) ");
        rows.push_values(stages.iter().zip(jobs), |mut row, (stage, job)| {
            row.push_bind(stage.key.as_str())
                .push_bind(stage.job.kind().name())
                .push_bind(job)
                .push_bind(stage.effort.cost_class.as_str())
                .push_bind(stage.effort.work);
        });
        // The job is updated because its paths may have changed: the same images may be stored elsewhere now.
        rows.push(
            " ON CONFLICT (id) DO UPDATE SET job = excluded.job, family = excluded.family, work = excluded.work
              RETURNING id, state, (SELECT digest FROM artifact WHERE stage_id = stage.id)",
        );
        let states: Vec<(String, StageStatus, Option<String>)> = rows.build_query_as().fetch_all(&mut **tx).await?;
        let done: HashMap<String, Option<String>> = states
            .into_iter()
            .filter(|(_, state, _)| *state == StageStatus::Done)
            .map(|(id, _, digest)| (id, digest))
            .collect();
        let damage = |stage: &PlannedStage| {
            let digest = done.get(stage.key.as_str())?;
            Some(artifacts.verify(stage.job.kind(), &stage.key, digest.as_deref(), VerifyScope::Sizes).err())
        };
        // Only sizes are compared here. Digests are compared when a stage reads the files.
        let damages: Vec<_> = stages.par_iter().map(damage).collect();
        for (stage, damage) in stages.iter().zip(damages) {
            match damage {
                Some(Some(damage)) => {
                    repair::reopen(tx, artifacts, stage.job.kind(), &stage.key, &damage).await?;
                }
                Some(None) => cached += 1,
                None => {}
            }
        }
        insert_dependencies(tx, stages).await?;
    }
    Ok(cached)
}

async fn insert_dependencies(tx: &mut Tx, stages: &[PlannedStage]) -> Result<(), StoreError> {
    let pairs: Vec<(&Key, Key)> =
        stages.iter().flat_map(|stage| stage.job.needs().into_iter().map(move |need| (&stage.key, need.key))).collect();
    for pairs in pairs.chunks(ROWS_PER_STATEMENT) {
        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO stage_dependency (stage_id, needs_id) ");
        rows.push_values(pairs, |mut row, (stage, needed)| {
            row.push_bind(stage.as_str()).push_bind(needed.as_str());
        });
        rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
}

/// Inserts runs, their stages, and their positions in a sweep, starting at position `first`.
pub(super) async fn insert_runs(tx: &mut Tx, sweep: &str, runs: &[PlannedRun], first: usize) -> Result<(), StoreError> {
    for (chunk, runs) in runs.chunks(ROWS_PER_STATEMENT).enumerate() {
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
            .flat_map(|run| run.stages.iter().enumerate().map(move |(position, stage)| (&run.key, position, stage)))
            .collect();
        for links in links.chunks(ROWS_PER_STATEMENT) {
            let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO run_stage (run_id, position, stage_id) ");
            rows.push_values(links, |mut row, (run, position, stage)| {
                row.push_bind(run.as_str()).push_bind(*position as i64).push_bind(stage.as_str());
            });
            rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
        }

        let mut rows = QueryBuilder::<Sqlite>::new("INSERT INTO sweep_run (sweep_id, run_id, position) ");
        rows.push_values(runs.iter().enumerate(), |mut row, (position, run)| {
            row.push_bind(sweep)
                .push_bind(run.key.as_str())
                .push_bind((first + chunk * ROWS_PER_STATEMENT + position) as i64);
        });
        rows.push(" ON CONFLICT DO NOTHING").build().execute(&mut **tx).await?;
    }
    Ok(())
}
