//! Everything that a live view shows of a sweep, read at one moment.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::current::current_status;
use super::sentences::headline;
use super::standings::{Standings, standings};
use super::time_left::TimeLeft;
use crate::analysis::{Tuned, tuned_of};
use crate::schedule::LocalProcesses;
use crate::stages::StageKind;
use crate::store::{
    Epochs, Event, FailedStage, Remarks, RunState, SearchStatus, StageStatus, Store, StoreError, SweepState,
    SweepStatus, WorkerRow,
};

/// The progress of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// Key of the sweep, which stays the same if it is renamed.
    pub key: String,
    /// Name of the sweep.
    pub sweep: String,
    /// Question that the sweep asks.
    pub question: Option<String>,
    /// Tags and note.
    #[serde(flatten)]
    pub remarks: Remarks,
    /// State of the sweep.
    pub state: SweepState,
    /// Runs by state.
    pub runs: RunTotals,
    /// Stages by kind, in the order in which a run executes them.
    pub stages: Vec<StageProgress>,
    /// Estimate of the time left.
    pub time_left: TimeLeft,
    /// Workers that have not stopped, as far as the store and this machine know.
    pub workers: Vec<WorkerProgress>,
    /// Number of stages held by processes that no longer exist. They count as pending.
    pub gone_stages: i64,
    /// Progress of the search. `None` if the sweep does not search.
    pub search: Option<SearchStatus>,
    /// The chosen trials and what is known about them. `None` if the sweep chooses none.
    pub tuned: Option<Tuned>,
    /// The best trials so far, one part for each protocol.
    pub best: Vec<Standings>,
    /// Stages that failed for good, in the order of their runs.
    pub failures: Vec<FailedStageProgress>,
    /// The most recent events.
    pub events: Vec<Event>,
}

/// Number of runs, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RunTotals {
    /// All runs.
    pub total: i64,
    /// Runs that wait.
    pub pending: i64,
    /// Runs of which a stage is running.
    pub running: i64,
    /// Runs that are done.
    pub done: i64,
    /// Runs that failed.
    pub failed: i64,
    /// Runs that a search pruned.
    pub pruned: i64,
    /// Runs that a person cancelled.
    pub cancelled: i64,
}

/// Number of stages of one kind, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageProgress {
    /// Kind of stage.
    pub kind: StageKind,
    /// Stages that wait.
    pub pending: i64,
    /// Stages that a worker holds.
    pub running: i64,
    /// Stages that are done.
    pub done: i64,
    /// Stages that failed for good.
    pub failed: i64,
    /// Stages that need a failed one.
    pub skipped: i64,
}

/// A worker and its stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkerProgress {
    /// The worker.
    #[serde(flatten)]
    pub worker: WorkerRow,
    /// Finished epochs, if its stage trains.
    pub epochs: Option<Epochs>,
    /// Whether its process is stopped, for instance by Ctrl-Z. Known on this machine only.
    pub paused: bool,
}

/// A stage that failed for good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedStageProgress {
    /// The stage. Its log is below the artifacts folder.
    #[serde(flatten)]
    pub stage: FailedStage,
    /// Path of the last attempt's log.
    pub log_path: Option<String>,
}

/// Reads the progress of the sweep with this name or key. Without one, it reads the sweep that was planned last. Logs lie below `artifacts`,
/// the place of its artifacts.
///
/// # Errors
/// There is no such sweep, or a query of the store fails.
pub async fn progress(store: &Store, sweep: Option<&str>, artifacts: &Path) -> Result<Progress, StoreError> {
    let known = LocalProcesses::new();
    let (id, name) = store.find_sweep(sweep).await?;
    let status = current_status(store, &id, &name, &known).await?;
    let row = store.sweep_row(&id).await?;
    let epochs: HashMap<String, Epochs> = store.epochs(&id).await?.into_iter().collect();
    let (tuned, best) = (tuned_of(store, &row).await?, standings(store, &row, &status).await?);
    let (runs, time_left, stages) = (RunTotals::of(&status), TimeLeft::of(&status), stages(&status));
    let state = SweepState::of(status.workers.len() as i64, runs.open(), runs.failed, runs.cancelled);
    let worker = |worker: WorkerRow| WorkerProgress {
        epochs: worker.stage.as_ref().and_then(|stage| epochs.get(stage)).copied(),
        paused: known.is_stopped(&worker.host, worker.pid, worker.process_started.as_deref()),
        worker,
    };
    let failure = |stage: FailedStage| FailedStageProgress {
        log_path: stage.log.as_ref().map(|log| artifacts.join(log).display().to_string()),
        stage,
    };
    Ok(Progress {
        key: id,
        sweep: name,
        question: row.question,
        remarks: status.remarks,
        state,
        runs,
        stages,
        time_left,
        workers: status.workers.into_iter().map(worker).collect(),
        gone_stages: status.gone_stages,
        search: status.search,
        tuned,
        best,
        failures: status.failures.into_iter().map(failure).collect(),
        events: status.events,
    })
}

impl Progress {
    /// Returns the state of the runs as a line: "sweep demo: 3 of 27 runs done, 2 running, 0 failed; about 12 min left".
    pub fn headline(&self) -> String {
        headline(&self.sweep, &self.runs, &self.time_left)
    }
}

impl RunTotals {
    /// Counts the runs of a status.
    pub fn of(status: &SweepStatus) -> Self {
        let count = |state| status.runs_in(state);
        Self {
            total: status.total_runs(),
            pending: count(RunState::Pending),
            running: count(RunState::Running),
            done: count(RunState::Done),
            failed: count(RunState::Failed),
            pruned: count(RunState::Pruned),
            cancelled: count(RunState::Cancelled),
        }
    }

    /// Returns the number of pending and running runs.
    pub fn open(&self) -> i64 {
        self.pending + self.running
    }
}

impl StageProgress {
    /// Returns the number of all stages of this kind.
    pub fn total(&self) -> i64 {
        self.pending + self.running + self.done + self.failed + self.skipped
    }
}

fn stages(status: &SweepStatus) -> Vec<StageProgress> {
    let of_kind = |kind: StageKind| {
        let count = |state: StageStatus| {
            let rows = status.stages.iter().filter(|row| row.kind == kind && row.state == state);
            rows.map(|row| row.count).sum::<i64>()
        };
        StageProgress {
            kind,
            pending: count(StageStatus::Pending),
            running: count(StageStatus::Running),
            done: count(StageStatus::Done),
            failed: count(StageStatus::Failed),
            skipped: count(StageStatus::Skipped),
        }
    };
    StageKind::ALL.into_iter().map(of_kind).filter(|stages| stages.total() > 0).collect()
}
