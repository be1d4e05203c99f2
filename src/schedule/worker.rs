//! A worker: one process that claims one stage at a time until its sweep has none left.

use std::time::{Duration, Instant};

use super::attempt::Ended;
use super::reaper::Reaper;
use super::{Message, Stop, attempt, host_name, process_started};
use crate::stages::{ArtifactFolders, StageJob, execute};
use crate::store::{Artifacts, AttemptStart, Store, StoreError, Wanted};
use crate::tensor::Native;
use crate::training::{StageContext, StageError};

/// Time between two looks for work while others hold the rest.
const IDLE: Duration = Duration::from_millis(50);
/// Time between two looks for the dead.
const REAP: Duration = Duration::from_secs(1);
/// So many attempts in a row that failed for reasons of the machine, and the worker stops. More than one stage has
/// ([`crate::store::Retry`]), so that a single bad stage does not stop it.
pub(super) const BREAKER: usize = 5;

/// What runs a stage: [`execute()`] but for tests and benches of the engine itself.
pub type Execute = fn(&StageJob, &dyn ArtifactFolders, &mut StageContext<'_>) -> Result<(), StageError>;

/// What a worker is started with.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// What it serves.
    pub wanted: Wanted,
    /// Threads that it may use.
    pub threads: usize,
    /// "cpu", "cuda:0".
    pub device: String,
    /// Bytes of the device's own memory that data may be kept in; none leaves it to the stages.
    pub device_memory: Option<u64>,
    /// Whether the process that started it says when there is nothing left: a search may add trials.
    pub attached: bool,
    /// A stage that takes longer has failed.
    pub stage_timeout: Option<Duration>,
    /// What runs stages.
    pub execute: Execute,
}

impl WorkerOptions {
    /// Serves a sweep on the CPU until nothing is left.
    pub fn new(wanted: Wanted, threads: usize) -> Self {
        Self {
            wanted,
            threads,
            device: "cpu".to_owned(),
            device_memory: None,
            attached: false,
            stage_timeout: None,
            execute: execute::<Native>,
        }
    }
}

/// Why a worker left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerEnd {
    /// Nothing is left to claim, and nothing comes.
    NothingLeft,
    /// It was asked to.
    Asked,
    /// Its last attempts failed for reasons of the machine.
    Broken(String),
    /// Its device is of no more use to this process; another may have more luck.
    DeviceLost(String),
    /// Another version of didact planned the sweep.
    OtherVersion(String),
}

/// Serves a sweep until nothing is left, a stop is asked for, or the machine is not to be trusted.
pub async fn work(
    store: &Store,
    artifacts: &Artifacts,
    options: &WorkerOptions,
    stop: &Stop,
) -> Result<WorkerEnd, StoreError> {
    let pid = std::process::id();
    let start = AttemptStart {
        worker: uuid::Uuid::now_v7().to_string(),
        host: host_name(),
        pid,
        process_started: process_started(pid),
        device: options.device.clone(),
        threads: options.threads,
    };
    store.worker_starts(&options.wanted.sweep, &start).await?;
    let end = serve(store, artifacts, options, &start, stop).await?;
    let reason = match &end {
        WorkerEnd::NothingLeft => "nothing was left",
        WorkerEnd::Asked => "asked to stop",
        WorkerEnd::Broken(reason) => {
            tracing::error!(reason, "this worker stops claiming");
            Message::Stopped { reason: reason.clone() }.send();
            store.tell(&options.wanted.sweep, "breaker", &format!("worker {pid} on {}: {reason}", start.host)).await?;
            reason
        }
        WorkerEnd::DeviceLost(reason) => {
            tracing::error!(reason, "this worker leaves, for another to try");
            reason
        }
        WorkerEnd::OtherVersion(reason) => {
            Message::Refused { reason: reason.clone() }.send();
            store
                .tell(&options.wanted.sweep, "other-version", &format!("worker {pid} on {}: {reason}", start.host))
                .await?;
            reason
        }
    };
    store.worker_stops(&start.worker, reason).await?;
    Ok(end)
}

async fn serve(
    store: &Store,
    artifacts: &Artifacts,
    options: &WorkerOptions,
    start: &AttemptStart,
    stop: &Stop,
) -> Result<WorkerEnd, StoreError> {
    let mut reaper = Reaper::new(start.host.clone());
    let mut reaped = Instant::now();
    let mut idle = false;
    let mut failures: Vec<String> = Vec::new();
    while !stop.requested() {
        if failures.len() >= BREAKER {
            return Ok(WorkerEnd::Broken(format!(
                "its last {BREAKER} attempts failed for reasons of the machine, the last one: {}",
                failures[BREAKER - 1]
            )));
        }
        let looked = Instant::now();
        let claimed = match store.claim(&options.wanted, start).await {
            Err(error @ StoreError::OtherVersion { .. }) => return Ok(WorkerEnd::OtherVersion(error.to_string())),
            outcome => outcome?,
        };
        if let Some(claim) = claimed {
            idle = false;
            match attempt::run(store, artifacts, &claim, start, options, stop).await? {
                Ended::Well => failures.clear(),
                Ended::Badly(reason) => failures.push(reason),
                Ended::WithoutDevice(reason) => return Ok(WorkerEnd::DeviceLost(reason)),
                Ended::Elsewise => {}
            }
            continue;
        }
        if !options.attached && !store.has_open_stages(&options.wanted).await? {
            return Ok(WorkerEnd::NothingLeft);
        }
        if !idle {
            Message::Idle.send();
            idle = true;
        }
        // Where that takes long it is done less often: looking must not become the main work.
        tokio::time::sleep(IDLE.max(10 * looked.elapsed()).min(REAP)).await;
        if reaped.elapsed() > REAP {
            reaped = Instant::now();
            let freed = reaper.reap(store).await?;
            if freed > 0 {
                tracing::info!(freed, "took back the stages of workers that are gone");
            }
        }
    }
    Ok(WorkerEnd::Asked)
}
