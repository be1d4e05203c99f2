//! `didact status`: shows the progress of a sweep.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, print_json, table};
use super::slurm::{ArrayStatus, arrays, arrays_table};
use crate::analysis::{Tuned, tuned_of};
use crate::exit::Exit;
use crate::schedule::LocalProcesses;
use crate::serve::{
    RunTotals, TimeLeft, current_status, failure_line, gone_stages_line, headline, search_line, tuned_lines,
};
use crate::stages::short_key;
use crate::store::{Access, Remarks, RunState, Store, SweepStatus};
use crate::text::rough_duration;

/// Arguments of `didact status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Sweep name [default: the latest sweep].
    sweep: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Maximum number of failed stages that are listed.
const MAX_FAILURES: usize = 20;

/// Maximum number of rows in the table of runs.
const MAX_ROWS: usize = 200;

/// Runs the verb.
pub(super) async fn run(args: &StatusArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let known = LocalProcesses::new();
    let status = current_status(&store, &id, &name, &known).await?;
    let slurm = arrays(&store, &id).await?;
    let tuned = tuned_of(&store, &store.sweep_row(&id).await?).await?;
    if args.json {
        print_json(&WithJobs { status: &status, slurm: &slurm, tuned: tuned.as_ref() })?;
        return Ok(Exit::Done);
    }
    print(&headline(&status.name, &RunTotals::of(&status), &TimeLeft::of(&status)))?;
    if let Some(remarks) = remark_lines(&status.remarks) {
        print(&remarks)?;
    }
    if let Some(search) = &status.search {
        print(&search_line(search))?;
    }
    if let Some(tuned) = &tuned {
        print(&tuned_lines(tuned))?;
    }
    if status.gone_stages > 0 {
        print(&gone_stages_line(status.gone_stages))?;
    }
    print(&format!("\n{}", runs_table(&status)))?;
    print(&format!("\n{}", stages_table(&status)))?;
    // Without the place of the artifacts, paths of logs begin below it.
    let place = global.artifacts().map(|artifacts| artifacts.place().to_owned()).unwrap_or_default();
    if !status.workers.is_empty() {
        print(&format!("\n{}", workers_table(&status, &place, &known)))?;
    }
    if let Some(jobs) = arrays_table(&slurm) {
        print(&format!("\n{jobs}"))?;
    }
    for failure in status.failures.iter().take(MAX_FAILURES) {
        let log = failure.log.as_ref().map(|log| place.join(log).display().to_string());
        let log = log.map(|log| format!("\n  log: {log}")).unwrap_or_default();
        print(&format!("\nfailed {}: {}{log}", short_key(&failure.stage), failure_line(failure)))?;
    }
    if status.failures.len() > MAX_FAILURES {
        print(&format!("\n… and {} more failed stages (--json lists all)", status.failures.len() - MAX_FAILURES))?;
    }
    for event in &status.events {
        print(&format!("\n{} {}: {}", event.at, event.kind, event.message))?;
    }
    Ok(Exit::Done)
}

/// A status with the jobs of Slurm that work on the sweep.
#[derive(Serialize)]
struct WithJobs<'a> {
    #[serde(flatten)]
    status: &'a SweepStatus,
    slurm: &'a [ArrayStatus],
    /// The chosen trials; absent if the sweep chooses none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tuned: Option<&'a Tuned>,
}

/// Formats the tags and the note of a sweep.
fn remark_lines(remarks: &Remarks) -> Option<String> {
    let tags = (!remarks.tags.0.is_empty()).then(|| format!("tags: {}", remarks.tags));
    let note = remarks.note.as_ref().map(|note| format!("note: {note}"));
    let lines: Vec<String> = tags.into_iter().chain(note).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Formats the number of runs by category, trial and state.
fn runs_table(status: &SweepStatus) -> String {
    let is_shown = |state: &RunState| *state == RunState::Done || status.runs_in(*state) > 0;
    let shown: Vec<RunState> = RunState::ALL.into_iter().filter(is_shown).collect();
    let mut rows: Vec<(&str, &str, Vec<i64>)> = Vec::new();
    for row in &status.runs {
        // The rows are ordered by category and trial.
        if rows.last().is_none_or(|(category, trial, _)| *category != row.category || *trial != row.trial) {
            rows.push((&row.category, &row.trial, vec![0; shown.len()]));
        }
        let last = rows.len() - 1;
        if let Some(column) = shown.iter().position(|state| *state == row.state) {
            rows[last].2[column] += row.count;
        }
    }
    let more = rows.len().saturating_sub(MAX_ROWS);
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .take(MAX_ROWS)
        .map(|(category, variant, counts)| {
            let names = [category.to_owned(), variant.to_owned()];
            names.into_iter().chain(counts.iter().map(i64::to_string)).collect()
        })
        .collect();
    let text = table(
        &["category", "trial"].into_iter().chain(shown.iter().map(|state| state.name())).collect::<Vec<_>>(),
        &rows,
    );
    if more == 0 { text } else { format!("{text}\n… and {more} more rows (--json lists all)") }
}

fn stages_table(status: &SweepStatus) -> String {
    let rows: Vec<Vec<String>> = status
        .stages
        .iter()
        .map(|row| vec![row.kind.to_string(), row.state.to_string(), row.count.to_string()])
        .collect();
    table(&["stage", "state", "count"], &rows)
}

fn workers_table(status: &SweepStatus, artifacts: &Path, known: &LocalProcesses) -> String {
    let rows: Vec<Vec<String>> = status
        .workers
        .iter()
        .map(|worker| {
            let work = match (&worker.kind, &worker.title) {
                (Some(kind), Some(title)) => format!("{kind} {title}"),
                (Some(kind), None) => format!("{kind} of another sweep"),
                (None, _) => "idle".to_owned(),
            };
            let stopped = known.is_stopped(&worker.host, worker.pid, worker.process_started.as_deref());
            let work = if stopped { format!("{work} (stopped)") } else { work };
            let since =
                worker.seconds.map(|seconds| rough_duration(Duration::from_secs_f64(seconds))).unwrap_or_default();
            let log = worker.log.as_ref().map(|log| artifacts.join(log).display().to_string());
            vec![
                match &worker.job {
                    Some(job) => format!("{} on {}, job {job}", worker.pid, worker.host),
                    None => format!("{} on {}", worker.pid, worker.host),
                },
                worker.device.clone(),
                worker.threads.to_string(),
                work,
                since,
                log.unwrap_or_default(),
            ]
        })
        .collect();
    table(&["worker", "device", "threads", "stage", "time", "log"], &rows)
}
