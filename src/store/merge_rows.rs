//! Writes the rows of another store into this one. Both have ids of their own, so every link is translated.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::StoreError;
use super::database::Tx;
use super::derived;
use super::merge::{Merged, OurStage, TheirStage, Verdict};
use super::remarks;
use super::row::row;
use super::sql::{ROWS_PER_STATEMENT, Value, insert, list, sql};
use super::{StageStatus, Store};

/// The other store's stages, and what happens to each.
pub(super) struct Rows<'a> {
    pub other: &'a Store,
    pub stages: &'a [TheirStage],
    pub needs: &'a [(i64, i64)],
    pub ours: &'a HashMap<String, OurStage>,
    pub verdicts: &'a HashMap<i64, Verdict>,
}

/// This store's ids, by the other store's.
type Ids = HashMap<i64, i64>;

/// Inserts all rows. Returns the keys of the sweeps that were added or changed.
pub(super) async fn insert_rows(tx: &mut Tx, rows: &Rows<'_>, merged: &mut Merged) -> Result<Vec<String>, StoreError> {
    let trials = copy_keyed(tx, rows.other, "trials", "settings").await?;
    let protocols = copy_keyed(tx, rows.other, "protocols", "content").await?;
    let stages = insert_stages(tx, rows).await?;
    insert_finished(tx, rows, &stages).await?;
    let runs = insert_runs(tx, rows.other, &trials, &protocols, &stages, merged).await?;
    insert_sweeps(tx, rows.other, &trials, &runs, merged).await
}

/// Copies rows that consist of an id, a key and a text.
async fn copy_keyed(tx: &mut Tx, other: &Store, table: &str, column: &str) -> Result<Ids, StoreError> {
    let known: HashMap<String, i64> = keys(tx, table).await?;
    let mut next = next_id(tx, table).await?;
    let theirs: Vec<(i64, String, String)> =
        sql(format!("SELECT id, key, {column} FROM {table} ORDER BY id")).all(other).await?;
    let (mut ids, mut rows) = (Ids::new(), Vec::<[Value; 3]>::new());
    for (id, key, text) in theirs {
        let ours = known.get(&key).copied().unwrap_or_else(|| {
            rows.push([next.into(), key.into(), text.into()]);
            next += 1;
            next - 1
        });
        ids.insert(id, ours);
    }
    insert(tx, &format!("{table} (id, key, {column})"), rows, "").await?;
    Ok(ids)
}

async fn keys(tx: &mut Tx, table: &str) -> Result<HashMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sql(format!("SELECT key, id FROM {table}")).all(tx).await?;
    Ok(rows.into_iter().collect())
}

async fn next_id(tx: &mut Tx, table: &str) -> Result<i64, StoreError> {
    sql(format!("SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")).value(tx).await
}

/// Inserts new stages with their jobs and dependencies. Failures are not taken: this machine may succeed.
async fn insert_stages(tx: &mut Tx, rows: &Rows<'_>) -> Result<Ids, StoreError> {
    let mut next = next_id(tx, "stages").await?;
    let mut ids = Ids::with_capacity(rows.stages.len());
    let mut new: Vec<&TheirStage> = Vec::new();
    for stage in rows.stages {
        let id = rows.ours.get(&stage.key).map(|ours| ours.id).unwrap_or_else(|| {
            new.push(stage);
            next += 1;
            next - 1
        });
        ids.insert(stage.id, id);
    }
    let values = new.iter().map(|stage| -> [Value; 5] {
        let id = ids[&stage.id];
        [id.into(), (&stage.key).into(), stage.kind.name().into(), (&stage.family).into(), stage.work.into()]
    });
    insert(tx, "stages (id, key, kind, family, work)", values, "").await?;
    for stages in new.chunks(ROWS_PER_STATEMENT) {
        let query = format!("SELECT stage_id, job FROM stage_jobs WHERE stage_id IN ({})", list(1, stages.len()));
        let jobs: Vec<(i64, String)> = sql(query).bind_all(stages.iter().map(|stage| stage.id)).all(rows.other).await?;
        let values = jobs.into_iter().map(|(stage, job)| [ids[&stage].into(), job.into()]);
        insert(tx, "stage_jobs (stage_id, job)", values, "").await?;
    }
    let new: HashSet<i64> = new.iter().map(|stage| stage.id).collect();
    let links = rows.needs.iter().filter(|(stage, _)| new.contains(stage));
    let values = links.map(|(stage, needed)| [ids[stage].into(), ids[needed].into()]);
    insert(tx, "stage_dependencies (stage_id, needs_id)", values, "").await?;
    Ok(ids)
}

row! {
    struct AttemptColumns {
        token: String,
        stage_id: i64,
        number: i64,
        worker: String,
        host: String,
        pid: i64,
        process_started: Option<String>,
        device: String,
        convolutions: String,
        threads: i64,
        version: String,
        state: String,
        failure_class: Option<String>,
        reason: Option<String>,
        started_at: String,
        finished_at: Option<String>,
        seconds: Option<f64>,
        images_per_second: Option<f64>,
        peak_rss_bytes: Option<i64>,
        costs: String,
    }
}

/// Marks taken stages as done, with their artifacts, attempts and curves.
async fn insert_finished(tx: &mut Tx, rows: &Rows<'_>, ids: &Ids) -> Result<(), StoreError> {
    let taken: Vec<&TheirStage> =
        rows.stages.iter().filter(|stage| rows.verdicts.get(&stage.id) == Some(&Verdict::Take)).collect();
    for stages in taken.chunks(ROWS_PER_STATEMENT) {
        for stage in stages {
            sql("UPDATE stages SET state = $1, finished_at = $2, failure_class = NULL, reason = NULL, not_before = NULL WHERE id = $3")
                .bind(StageStatus::Done.name())
                .bind(&stage.finished_at)
                .bind(ids[&stage.id])
                .execute(tx)
                .await?;
        }
        let here = |stage: &TheirStage| ids[&stage.id];
        let delete = format!("DELETE FROM metrics WHERE stage_id IN ({})", list(1, stages.len()));
        sql(delete).bind_all(stages.iter().map(|stage| here(stage))).execute(tx).await?;

        let of_stages = |select: &str| {
            let query = format!("{select} WHERE stage_id IN ({})", list(1, stages.len()));
            sql(query).bind_all(stages.iter().map(|stage| stage.id))
        };
        let found: Vec<(i64, String, i64, String, String)> =
            of_stages("SELECT stage_id, path, bytes, digest, created_at FROM artifacts").all(rows.other).await?;
        let values = found.into_iter().map(|(stage, path, bytes, digest, created_at)| -> [Value; 5] {
            [ids[&stage].into(), path.into(), bytes.into(), digest.into(), created_at.into()]
        });
        insert(tx, "artifacts (stage_id, path, bytes, digest, created_at)", values, "").await?;

        let found: Vec<(i64, String, i64, Option<f64>)> =
            of_stages("SELECT stage_id, name, step, value FROM metrics").all(rows.other).await?;
        let values = found.into_iter().map(|(stage, name, step, value)| -> [Value; 4] {
            [ids[&stage].into(), name.into(), step.into(), value.into()]
        });
        insert(tx, "metrics (stage_id, name, step, value)", values, "").await?;

        // Their logs stay where they are.
        let found: Vec<AttemptColumns> = of_stages(
            "SELECT token, stage_id, number, worker, host, pid, process_started, device, convolutions, threads, version, state,
                    failure_class, reason, started_at, finished_at, seconds, images_per_second, peak_rss_bytes, costs FROM attempts",
        )
        .all(rows.other)
        .await?;
        let values = found.into_iter().map(|row| -> [Value; 20] {
            [
                row.token.into(),
                ids[&row.stage_id].into(),
                row.number.into(),
                row.worker.into(),
                row.host.into(),
                row.pid.into(),
                row.process_started.into(),
                row.device.into(),
                row.convolutions.into(),
                row.threads.into(),
                row.version.into(),
                row.state.into(),
                row.failure_class.into(),
                row.reason.into(),
                row.started_at.into(),
                row.finished_at.into(),
                row.seconds.into(),
                row.images_per_second.into(),
                row.peak_rss_bytes.into(),
                row.costs.into(),
            ]
        });
        let columns = "attempts (token, stage_id, number, worker, host, pid, process_started, device, convolutions, threads, version, state,
             failure_class, reason, started_at, finished_at, seconds, images_per_second, peak_rss_bytes, costs)";
        // A copy of this store has some of its attempts.
        insert(tx, columns, values, "ON CONFLICT (token) DO NOTHING").await?;
    }
    Ok(())
}

row! {
    struct RunColumns {
        id: i64,
        key: String,
        trial_id: i64,
        category: String,
        seed: i64,
        protocol_id: i64,
        state: String,
        reason: Option<String>,
    }
}

/// Inserts new runs, and links all runs with their stages.
async fn insert_runs(
    tx: &mut Tx,
    other: &Store,
    trials: &Ids,
    protocols: &Ids,
    stages: &Ids,
    merged: &mut Merged,
) -> Result<Ids, StoreError> {
    let known = keys(tx, "runs").await?;
    let mut next = next_id(tx, "runs").await?;
    let theirs: Vec<RunColumns> =
        sql("SELECT id, key, trial_id, category, seed, protocol_id, state, reason FROM runs ORDER BY id")
            .all(other)
            .await?;
    let (mut ids, mut rows) = (Ids::with_capacity(theirs.len()), Vec::<[Value; 8]>::new());
    for run in theirs {
        let ours = known.get(&run.key).copied().unwrap_or_else(|| {
            // People and searches end runs. All other states follow from the stages.
            let is_ended = run.state == "cancelled" || run.state == "pruned";
            rows.push([
                next.into(),
                run.key.into(),
                trials[&run.trial_id].into(),
                run.category.into(),
                run.seed.into(),
                protocols[&run.protocol_id].into(),
                if is_ended { run.state } else { "pending".to_owned() }.into(),
                run.reason.filter(|_| is_ended).into(),
            ]);
            next += 1;
            next - 1
        });
        ids.insert(run.id, ours);
    }
    merged.runs = rows.len();
    insert(tx, "runs (id, key, trial_id, category, seed, protocol_id, state, reason)", rows, "").await?;
    let links: Vec<(i64, i64, i64)> =
        sql("SELECT run_id, stage_id, position FROM run_stages ORDER BY run_id, position").all(other).await?;
    let links =
        links.into_iter().map(|(run, stage, position)| [ids[&run].into(), stages[&stage].into(), position.into()]);
    insert(tx, "run_stages (run_id, stage_id, position)", links, "ON CONFLICT DO NOTHING").await?;
    Ok(ids)
}

row! {
    struct SweepColumns {
        id: i64,
        key: String,
        name: String,
        question: Option<String>,
        file: Option<String>,
        origin: String,
        folder: Option<String>,
        overrides: String,
        source: String,
        resolved: String,
        plan: String,
        created_at: String,
        updated_at: String,
    }
}

/// Adds the other store's sweeps. A sweep that this store has already takes the newer plan; one whose name is taken gets a number.
async fn insert_sweeps(
    tx: &mut Tx,
    other: &Store,
    trials: &Ids,
    runs: &Ids,
    merged: &mut Merged,
) -> Result<Vec<String>, StoreError> {
    let theirs: Vec<SweepColumns> = sql(
        "SELECT id, key, name, question, file, origin, folder, overrides, source, resolved, plan, created_at, updated_at
         FROM sweeps ORDER BY id",
    )
    .all(other)
    .await?;
    let (mut touched, mut united) = (Vec::new(), BTreeMap::new());
    for sweep in theirs {
        let ours: Vec<(i64, String, String, String, String)> =
            sql("SELECT id, key, name, plan, updated_at FROM sweeps ORDER BY id").all(&mut *tx).await?;
        let same_key = ours.iter().find(|(_, key, ..)| *key == sweep.key);
        let same_name = ours.iter().find(|(_, _, name, ..)| *name == sweep.name);
        let (id, name) = match (same_key, same_name) {
            (Some((id, .., updated_at)), _) if *updated_at >= sweep.updated_at => {
                united.insert(sweep.id, *id);
                continue;
            }
            (Some((id, _, name, ..)), _) => (*id, name.clone()),
            (None, Some((id, .., plan, _))) if *plan == sweep.plan => {
                united.insert(sweep.id, *id);
                continue;
            }
            (None, Some(_)) => {
                let is_free = |name: &String| ours.iter().all(|(_, _, taken, ..)| taken != name);
                let name = (2..).map(|number| format!("{}-{number}", sweep.name)).find(is_free).unwrap_or_default();
                (next_id(tx, "sweeps").await?, name)
            }
            (None, None) => (next_id(tx, "sweeps").await?, sweep.name.clone()),
        };
        let row: [Value; 13] = [
            id.into(),
            (&sweep.key).into(),
            (&name).into(),
            sweep.question.into(),
            sweep.file.into(),
            sweep.origin.into(),
            sweep.folder.into(),
            sweep.overrides.into(),
            sweep.source.into(),
            sweep.resolved.into(),
            sweep.plan.into(),
            sweep.created_at.into(),
            sweep.updated_at.into(),
        ];
        insert(
            tx,
            "sweeps (id, key, name, question, file, origin, folder, overrides, source, resolved, plan, created_at, updated_at)",
            [row],
            "ON CONFLICT (key) DO UPDATE SET question = excluded.question, file = excluded.file, origin = excluded.origin,
                 folder = excluded.folder, overrides = excluded.overrides, source = excluded.source, resolved = excluded.resolved,
                 plan = excluded.plan, updated_at = excluded.updated_at, generation = sweeps.generation + 1, written = NULL",
        )
        .await?;
        united.insert(sweep.id, id);
        link_sweep(tx, other, (sweep.id, id), trials, runs).await?;
        derived::rebuild(tx, id).await?;
        merged.sweeps.push(name);
        touched.push(sweep.key);
    }
    remarks::unite(tx, other, &united).await?;
    Ok(touched)
}

row! {
    struct TrialColumns {
        trial_id: i64,
        position: i64,
        axes: String,
        point: Option<String>,
        variant: String,
        baseline: i64,
        number: i64,
        title: String,
    }
}

/// Replaces the trials and runs of a sweep by those that the other store has under the id `their`.
async fn link_sweep(
    tx: &mut Tx,
    other: &Store,
    (their, our): (i64, i64),
    trials: &Ids,
    runs: &Ids,
) -> Result<(), StoreError> {
    for table in ["trial_numbers", "sweep_trials", "sweep_runs"] {
        sql(format!("DELETE FROM {table} WHERE sweep_id = $1")).bind(our).execute(tx).await?;
    }
    let numbers: Vec<(i64, i64)> =
        sql("SELECT trial_id, number FROM trial_numbers WHERE sweep_id = $1").bind(their).all(other).await?;
    let numbers = numbers.into_iter().map(|(trial, number)| [our.into(), trials[&trial].into(), number.into()]);
    insert(tx, "trial_numbers (sweep_id, trial_id, number)", numbers, "").await?;
    let rows: Vec<TrialColumns> = sql(
        "SELECT trial_id, position, axes, point, variant, baseline, number, title FROM sweep_trials WHERE sweep_id = $1
         ORDER BY position",
    )
    .bind(their)
    .all(other)
    .await?;
    let rows = rows.into_iter().map(|row| -> [Value; 9] {
        [
            our.into(),
            trials[&row.trial_id].into(),
            row.position.into(),
            row.axes.into(),
            row.point.into(),
            row.variant.into(),
            row.baseline.into(),
            row.number.into(),
            row.title.into(),
        ]
    });
    let columns = "sweep_trials (sweep_id, trial_id, position, axes, point, variant, baseline, number, title)";
    insert(tx, columns, rows, "").await?;
    let rows: Vec<(i64, i64)> = sql("SELECT position, run_id FROM sweep_runs WHERE sweep_id = $1 ORDER BY position")
        .bind(their)
        .all(other)
        .await?;
    let rows = rows.into_iter().map(|(position, run)| [our.into(), position.into(), runs[&run].into()]);
    insert(tx, "sweep_runs (sweep_id, position, run_id)", rows, "").await?;
    Ok(())
}
