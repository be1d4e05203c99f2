//! Writes the rows of a plan, hundreds per statement. The write lock is held, so this process alone gives ids.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::StoreError;
use super::database::Tx;
use super::replaced;
use super::sql::{ROWS_PER_STATEMENT, Value, insert, list, sql};
use crate::config::SweepTrial;
use crate::plan::{Plan, PlannedRun, PlannedStage, PlannedTrial, trial_id, trial_settings, trial_title};
use crate::stages::{Key, StageKind};

/// Ids by key.
type Ids<'p> = HashMap<&'p str, i64>;

/// Positions of the first trial and of the first run of a plan in its sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct First {
    pub trial: i64,
    pub run: i64,
}

/// Inserts the rows of a plan. Rows that exist stay; the jobs and the work of their stages are updated. Returns whether runs that existed
/// gained stages.
pub(super) async fn insert_plan(tx: &mut Tx, sweep: i64, plan: &Plan, first: First) -> Result<bool, StoreError> {
    let trials = insert_trials(tx, sweep, &plan.trials, first.trial).await?;
    let stages = insert_stages(tx, &plan.stages).await?;
    insert_runs(tx, sweep, plan, first.run, &trials, &stages).await
}

/// Ids of rows, by key: those that exist, and new ones for the others.
struct Known<'p> {
    ids: Ids<'p>,
    /// Keys that are new, in order.
    new: Vec<&'p str>,
}

/// Returns the ids of keys in a table, and assigns the next ids to new keys.
async fn ids_of<'p>(
    tx: &mut Tx,
    table: &str,
    keys: impl IntoIterator<Item = &'p str>,
) -> Result<Known<'p>, StoreError> {
    let keys: Vec<&str> = keys.into_iter().collect();
    let last: Option<i64> = sql(format!("SELECT MAX(id) FROM {table}")).value(&mut *tx).await?;
    let mut found: HashMap<String, i64> = HashMap::new();
    if last.is_some() {
        for keys in keys.chunks(ROWS_PER_STATEMENT) {
            let query = sql(format!("SELECT key, id FROM {table} WHERE key IN ({})", list(1, keys.len())));
            let rows: Vec<(String, i64)> = query.bind_all(keys.iter().copied()).all(&mut *tx).await?;
            found.extend(rows);
        }
    }
    let mut next = last.unwrap_or(0) + 1;
    let mut known = Known { ids: HashMap::with_capacity(keys.len()), new: Vec::new() };
    for key in keys {
        known.ids.entry(key).or_insert_with(|| {
            found.get(key).copied().unwrap_or_else(|| {
                known.new.push(key);
                next += 1;
                next - 1
            })
        });
    }
    Ok(known)
}

/// Inserts trials and their positions in a sweep.
async fn insert_trials<'p>(
    tx: &mut Tx,
    sweep: i64,
    trials: &'p [PlannedTrial],
    first: i64,
) -> Result<Ids<'p>, StoreError> {
    let Known { ids, new } = ids_of(tx, "trials", trials.iter().map(|planned| planned.key.as_str())).await?;
    let new: HashSet<&str> = new.into_iter().collect();
    let mut rows = Vec::new();
    for planned in trials.iter().filter(|planned| new.contains(planned.key.as_str())) {
        let key = planned.key.as_str();
        rows.push([ids[key].into(), key.into(), serde_json::to_string(&planned.trial.trial)?.into()]);
    }
    insert(tx, "trials (id, key, settings)", rows, "").await?;
    let numbers = number(tx, sweep, trials, &ids).await?;
    let mut rows: Vec<[Value; 9]> = Vec::new();
    for (planned, position) in trials.iter().zip(first..) {
        let SweepTrial { variant, baseline, axes, point, .. } = &planned.trial;
        let id = ids[planned.key.as_str()];
        let number = numbers.get(&id).copied().unwrap_or_default();
        rows.push([
            sweep.into(),
            id.into(),
            position.into(),
            serde_json::to_string(axes)?.into(),
            serde_json::to_string(point)?.into(),
            variant.as_str().into(),
            (*baseline).into(),
            number.into(),
            title(number, &planned.trial).into(),
        ]);
    }
    let columns = "sweep_trials (sweep_id, trial_id, position, axes, point, variant, baseline, number, title)";
    // A trial that already exists keeps its position.
    insert(tx, columns, rows, "ON CONFLICT DO NOTHING").await?;
    Ok(ids)
}

/// Returns the id and the settings. ST-FPM at a point of the search keeps its name as well.
fn title(number: i64, trial: &SweepTrial) -> String {
    let title = trial_title(number, &trial.variant, &trial.axes);
    match !trial.is_searched() && !trial.axes.is_empty() {
        true => format!("{} {}, {}", trial_id(number), trial.variant, trial_settings(&trial.variant, &trial.axes)),
        false => title,
    }
}

/// Returns the number of each trial of a sweep, by id; trials that have left the sweep are included. Trials without a number get the
/// next free ones, in order.
async fn number(
    tx: &mut Tx,
    sweep: i64,
    trials: &[PlannedTrial],
    ids: &Ids<'_>,
) -> Result<HashMap<i64, i64>, StoreError> {
    let rows: Vec<(i64, i64)> =
        sql("SELECT trial_id, number FROM trial_numbers WHERE sweep_id = $1").bind(sweep).all(&mut *tx).await?;
    let mut numbers: HashMap<i64, i64> = rows.into_iter().collect();
    let next = numbers.values().max().copied().unwrap_or(0) + 1;
    let trials = trials.iter().map(|planned| ids[planned.key.as_str()]);
    let new: Vec<(i64, i64)> = trials.filter(|id| !numbers.contains_key(id)).zip(next..).collect();
    let rows = new.iter().map(|&(id, number)| [sweep.into(), id.into(), number.into()]);
    insert(tx, "trial_numbers (sweep_id, trial_id, number)", rows, "").await?;
    numbers.extend(new);
    Ok(numbers)
}

/// Inserts stages and their dependencies.
async fn insert_stages<'p>(tx: &mut Tx, stages: &'p [PlannedStage]) -> Result<Ids<'p>, StoreError> {
    let Known { ids, new } = ids_of(tx, "stages", stages.iter().map(|stage| stage.key.as_str())).await?;
    let mut done = HashSet::new();
    if new.len() < ids.len() {
        let known: Vec<i64> = sql("SELECT id FROM stages WHERE state = 'done'").column(&mut *tx).await?;
        done.extend(known);
    }
    // Each stage comes after those that it needs, so all of these have an id.
    let needs = |stage: &PlannedStage| -> BTreeSet<i64> {
        stage.job.needs().into_iter().filter_map(|need| ids.get(need.key.as_str()).copied()).collect()
    };
    let rows = stages.iter().map(|stage| {
        let open = needs(stage).into_iter().filter(|id| !done.contains(id)).count();
        [
            ids[stage.key.as_str()].into(),
            stage.key.as_str().into(),
            stage.job.kind().name().into(),
            stage.effort.cost_class.as_str().into(),
            stage.effort.work.into(),
            (open as i64).into(),
        ]
    });
    let update = "ON CONFLICT (id) DO UPDATE SET family = excluded.family, work = excluded.work
                  WHERE stages.family <> excluded.family OR stages.work <> excluded.work";
    insert(tx, "stages (id, key, kind, family, work, open_needs)", rows, update).await?;
    // Paths in a job may have changed: the same images may be stored elsewhere now.
    let update = "ON CONFLICT (stage_id) DO UPDATE SET job = excluded.job WHERE stage_jobs.job <> excluded.job";
    for stages in stages.chunks(ROWS_PER_STATEMENT) {
        let mut rows: Vec<[Value; 2]> = Vec::with_capacity(stages.len());
        for stage in stages {
            rows.push([ids[stage.key.as_str()].into(), serde_json::to_string(&stage.job)?.into()]);
        }
        insert(tx, "stage_jobs (stage_id, job)", rows, update).await?;
    }
    let new: HashSet<&str> = new.into_iter().collect();
    let links = stages.iter().filter(|stage| new.contains(stage.key.as_str())).flat_map(|stage| {
        let id = ids[stage.key.as_str()];
        needs(stage).into_iter().map(move |need| [id.into(), need.into()])
    });
    insert(tx, "stage_dependencies (stage_id, needs_id)", links, "").await?;
    Ok(ids)
}

/// Inserts runs, their stages, and their positions in a sweep. Returns whether runs that existed gained stages.
async fn insert_runs(
    tx: &mut Tx,
    sweep: i64,
    plan: &Plan,
    first: i64,
    trials: &Ids<'_>,
    stages: &Ids<'_>,
) -> Result<bool, StoreError> {
    let runs = &plan.runs;
    let protocols = ids_of(tx, "protocols", runs.iter().map(|run| run.protocol_key.as_str())).await?;
    let mut new: HashSet<&str> = protocols.new.into_iter().collect();
    let rows = runs.iter().filter(|run| new.remove(run.protocol_key.as_str())).map(|run| {
        let key = run.protocol_key.as_str();
        [protocols.ids[key].into(), key.into(), run.protocol.to_string().into()]
    });
    insert(tx, "protocols (id, key, content)", rows, "").await?;

    let Known { ids, new } = ids_of(tx, "runs", runs.iter().map(|run| run.key.as_str())).await?;
    let new: HashSet<&str> = new.into_iter().collect();
    let (added, existing): (Vec<&PlannedRun>, Vec<&PlannedRun>) =
        runs.iter().partition(|run| new.contains(run.key.as_str()));
    let rows = added.iter().map(|run| {
        [
            ids[run.key.as_str()].into(),
            run.key.as_str().into(),
            trials[run.trial.as_str()].into(),
            run.category.as_str().into(),
            (run.seed as i64).into(),
            protocols.ids[run.protocol_key.as_str()].into(),
        ]
    });
    insert(tx, "runs (id, key, trial_id, category, seed, protocol_id)", rows, "").await?;

    insert_links(tx, &added, &ids, stages).await?;
    let kinds: BTreeSet<StageKind> = plan.stages.iter().map(|stage| stage.job.kind()).collect();
    let existing_ids: Vec<i64> = existing.iter().map(|run| ids[run.key.as_str()]).collect();
    replaced::drop_replaced(tx, &existing_ids, &kinds, &stages.values().copied().collect()).await?;
    let gained = insert_links(tx, &existing, &ids, stages).await?;
    let rows =
        runs.iter().zip(first..).map(|(run, position)| [sweep.into(), position.into(), ids[run.key.as_str()].into()]);
    insert(tx, "sweep_runs (sweep_id, position, run_id)", rows, "ON CONFLICT DO NOTHING").await?;
    Ok(gained > 0)
}

/// Links runs with their stages. Returns the number of new links.
async fn insert_links(tx: &mut Tx, runs: &[&PlannedRun], ids: &Ids<'_>, stages: &Ids<'_>) -> Result<u64, StoreError> {
    let links = runs.iter().flat_map(|run| {
        let id = ids[run.key.as_str()];
        let link = move |(position, stage): (i64, &Key)| [id.into(), stages[stage.as_str()].into(), position.into()];
        (0..).zip(&run.stages).map(link)
    });
    insert(tx, "run_stages (run_id, stage_id, position)", links, "ON CONFLICT DO NOTHING").await
}
