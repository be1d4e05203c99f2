//! Reads exactly what a report shows.

use std::collections::{BTreeSet, HashMap};

use tokio::task::JoinHandle;

use super::contention::Attempts;
use super::grouping::MAX_DRAWN;
use super::grouping::{Ranking, groups};
use super::guidance::Guidance;
use super::kinds::Kinds;
use super::lighting::Lightings;
use super::rows::Rows;
use super::shown::shown_metrics;
use super::tuned::{Tuned, seeds_of_search, tuned_of};
use crate::evaluate::metrics::{IMAGE_FALSE_ALARMS, IMAGE_FALSE_ALARMS_EXPECTED, Metric};
use crate::evaluate::{Fact, ResultName};
use crate::schedule::LocalProcesses;
use crate::stages::Key;
use crate::store::{ComparedScore, ResultRow, RunRow, RunStage, RunState, StageRow, Store, StoreError, SweepRow};

/// Reads the rows of a sweep with the given metrics; if none are given, with those that the sweep file chooses.
///
/// # Errors
/// A query of the store fails.
pub async fn read(store: &Store, sweep: &str, metrics: &[Metric]) -> Result<Rows, StoreError> {
    let row = store.sweep_row(sweep).await?;
    let guidance = Guidance::of(&row);
    let metrics = shown_metrics(&row, metrics);
    let objective = guidance.objective().map(|objective| objective.metric());
    // A report tells how well the held-out threshold predicts false alarms, whatever its metrics.
    let threshold = [IMAGE_FALSE_ALARMS, IMAGE_FALSE_ALARMS_EXPECTED];
    let measured = metrics.iter().copied().chain(objective).chain(threshold).map(ResultName::from);
    let names: Vec<ResultName> = measured.chain(Fact::ALL.map(ResultName::from)).collect();
    let ((runs, mut results, run_stages), (scores, stages, attempts)) = read_many(store, sweep, names).await?;
    let lightings = Lightings::of(&stages);
    if !lightings.names.is_empty() {
        add(&mut results, store.result_rows(sweep, &lightings.results()).await?);
    }
    let tuned = tuned_of(store, &row).await?;
    let working = is_working(store, sweep).await?;
    let runs = if working { runs } else { without_workers(runs) };
    let (runs, compared) = split(runs, &row, tuned.as_ref());
    let index: HashMap<&Key, usize> = stages.iter().enumerate().map(|(index, stage)| (&stage.id, index)).collect();
    // A running sweep may have gained stages after the stages were read.
    let run_stages = run_stages.into_iter().filter_map(|row| Some((row.run_id, *index.get(&row.stage_id)?)));
    let (run_stages, scores) = (by_run(run_stages), by_run(scores.into_iter().map(|row| (row.run_id.clone(), row))));
    let curves = Vec::new();
    let mut rows = Rows {
        sweep: row,
        metrics,
        runs,
        tuned,
        compared,
        results,
        scores,
        stages,
        run_stages,
        working,
        attempts,
        curves,
        lightings,
        kinds: Kinds::default(),
    };
    let drawn = drawn(&rows);
    rows.curves = store.curve_rows(sweep, &drawn).await?;
    let of_kinds = store.kind_rows(sweep, &drawn).await?;
    rows.kinds = Kinds::of(&of_kinds, &rows.runs, &rows.metrics);
    add(&mut rows.results, of_kinds);
    Ok(rows)
}

/// Adds results; those of each run stay together.
fn add(results: &mut Vec<ResultRow>, others: Vec<ResultRow>) {
    if !others.is_empty() {
        results.extend(others);
        results.sort_by(|one, other| one.run_id.cmp(&other.run_id));
    }
}

/// Runs with their results and stages.
type OfRuns = (Vec<RunRow>, Vec<ResultRow>, Vec<RunStage>);
/// Image scores, stages and attempts.
type OfStages = (Vec<ComparedScore>, Vec<StageRow>, Attempts);

/// Reads what has a row for each run, stage, number or image. A store has two connections, and two threads decode their rows.
async fn read_many(store: &Store, sweep: &str, names: Vec<ResultName>) -> Result<(OfRuns, OfStages), StoreError> {
    let (other, key) = (store.clone(), sweep.to_owned());
    let of_stages: JoinHandle<Result<OfStages, StoreError>> = tokio::spawn(async move {
        let stages = other.stage_rows(&key).await?;
        Ok((other.score_rows(&key).await?, stages, Attempts::of(other.attempt_records(&key).await?)))
    });
    let of_runs = async {
        let runs = store.run_rows(sweep).await?;
        Ok::<OfRuns, StoreError>((runs, store.result_rows(sweep, &names).await?, store.run_stage_rows(sweep).await?))
    };
    let (of_runs, of_stages) = tokio::join!(of_runs, of_stages);
    Ok((of_runs?, of_stages.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))?))
}

/// Shows runs as waiting whose stages are held by workers that have ended.
fn without_workers(mut runs: Vec<RunRow>) -> Vec<RunRow> {
    for run in runs.iter_mut().filter(|run| run.state == RunState::Running) {
        run.state = RunState::Pending;
    }
    runs
}

/// Returns whether a worker of the sweep exists. Of workers on other machines, the store knows only whether they have stopped.
async fn is_working(store: &Store, sweep: &str) -> Result<bool, StoreError> {
    let known = LocalProcesses::new();
    let workers = store.workers(sweep).await?;
    Ok(workers.iter().any(|of| !known.has_ended(&of.host, of.pid, of.process_started.as_deref())))
}

/// Separates the runs on the seeds of the sweep file from those of the chosen trials on the seeds of their comparison. Numbers that had a
/// part in a choice never meet those that judge it.
fn split(runs: Vec<RunRow>, sweep: &SweepRow, tuned: Option<&Tuned>) -> (Vec<RunRow>, Vec<RunRow>) {
    let Some((tuned, seeds)) = tuned.zip(seeds_of_search(sweep)) else { return (runs, Vec::new()) };
    let is_compared = |run: &&RunRow| {
        tuned.seeds.contains(&(run.seed as u64)) && tuned.choices.iter().any(|choice| choice.trial == run.trial_id)
    };
    let compared = runs.iter().filter(is_compared).cloned().collect();
    (runs.into_iter().filter(|run| seeds.contains(&(run.seed as u64))).collect(), compared)
}

/// Collects what belongs to each run, in the given order.
fn by_run<T>(of_runs: impl Iterator<Item = (Key, T)>) -> HashMap<Key, Vec<T>> {
    let mut by_run: HashMap<Key, Vec<T>> = HashMap::new();
    of_runs.for_each(|(run, of_run)| by_run.entry(run).or_default().push(of_run));
    by_run
}

/// Returns the trials that figures have room for, under both rankings of protocols.
fn drawn(rows: &Rows) -> Vec<String> {
    let groups = [Ranking::WithinProtocols, Ranking::AcrossProtocols].map(|ranking| groups(rows, ranking));
    let drawn = groups.iter().flatten().flat_map(|groups| groups.variants.iter().take(MAX_DRAWN));
    drawn.map(|variant| variant.trial.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
