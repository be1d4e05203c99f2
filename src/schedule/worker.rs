//! A worker: a process that claims and runs one stage at a time until its sweep has no open stage.

use std::time::{Duration, Instant};

use super::attempt::WorkerHealth;
use super::patience::patiently;
use super::reaper::Reaper;
use super::{Message, Stop, attempt, host_name, process_started};
use crate::stages::{ArtifactFolders, StageJob, execute};
use crate::store::{Artifacts, AttemptStart, Claim, Store, StoreError, Wanted};
use crate::tensor::{Kernels, Native};
use crate::training::{StageContext, StageError};

/// Time between two attempts to claim while no stage can be claimed.
const IDLE_INTERVAL: Duration = Duration::from_millis(50);
/// Time between two searches for dead workers.
const REAP_INTERVAL: Duration = Duration::from_secs(1);
/// Number of consecutive transient failures after which a worker stops. It exceeds the number of attempts of one stage
/// ([`crate::store::Retry`]), so that one bad stage does not stop the worker.
pub(super) const MAX_CONSECUTIVE_FAILURES: usize = 5;

/// The function that runs a stage: [`execute()`], or a substitute in the engine's tests and benchmarks.
pub type Execute = fn(&StageJob, &dyn ArtifactFolders, &mut StageContext<'_>) -> Result<(), StageError>;

/// Options of a worker.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Sweep and runs to compute.
    pub wanted: Wanted,
    /// Number of threads.
    pub threads: usize,
    /// Device name: "cpu", "cuda:0".
    pub device: String,
    /// Who computes convolutions, as attempts record it.
    pub convolutions: String,
    /// Limit of the device memory in which stages may keep data, bytes; `None` lets each stage choose.
    pub device_memory: Option<u64>,
    /// Whether the parent process decides when the worker ends, because a search may add trials.
    pub attached: bool,
    /// Time after which a stage counts as failed.
    pub stage_timeout: Option<Duration>,
    /// Function that runs stages.
    pub execute: Execute,
}

impl WorkerOptions {
    /// Creates options for a worker on the CPU that ends when no open stage is left.
    pub fn new(wanted: Wanted, threads: usize) -> Self {
        Self {
            wanted,
            threads,
            device: "cpu".to_owned(),
            convolutions: Native::convolutions(),
            device_memory: None,
            attached: false,
            stage_timeout: None,
            execute: execute::<Native>,
        }
    }
}

/// Why a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerEnd {
    /// No stage is left to claim, and no trials will be added.
    NothingLeft,
    /// A stop was requested.
    StopRequested,
    /// Its last attempts failed for transient reasons; holds the reason.
    Broken(String),
    /// Its process can no longer use the device, but a new process may; holds the reason.
    DeviceLost(String),
    /// Another version of didact planned the sweep; holds the message.
    OtherVersion(String),
}

/// Runs stages of a sweep until none is left, a stop is requested, or too many attempts fail in a row.
///
/// # Errors
/// The store cannot be read or written.
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
        convolutions: options.convolutions.clone(),
        threads: options.threads,
    };
    store.worker_starts(&options.wanted.sweep, &start).await?;
    let end = serve(store, artifacts, options, &start, stop).await?;
    let reason = match &end {
        WorkerEnd::NothingLeft => "no stage left",
        WorkerEnd::StopRequested => "asked to stop",
        WorkerEnd::Broken(reason) => {
            tracing::error!(reason, "this worker stops claiming");
            Message::Stopped { reason: reason.clone() }.send();
            let message = format!("worker {pid} on {}: {reason}", start.host);
            store.record_event(&options.wanted.sweep, "breaker", &message).await?;
            reason
        }
        WorkerEnd::DeviceLost(reason) => {
            tracing::error!(reason, "this worker exits, so that a new process can try");
            reason
        }
        WorkerEnd::OtherVersion(reason) => {
            Message::Refused { reason: reason.clone() }.send();
            let message = format!("worker {pid} on {}: {reason}", start.host);
            store.record_event(&options.wanted.sweep, "other-version", &message).await?;
            reason
        }
    };
    store.worker_stops(&start.worker, reason).await?;
    Ok(end)
}

/// Claims a stage. After an earlier try that failed, the store may have a claim of which this worker does not know.
async fn claim(
    store: &Store,
    options: &WorkerOptions,
    start: &AttemptStart,
    is_repeated: bool,
) -> Result<Option<Claim>, StoreError> {
    if is_repeated {
        store.give_back(start).await?;
    }
    store.claim(&options.wanted, start).await
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
        if failures.len() >= MAX_CONSECUTIVE_FAILURES {
            return Ok(WorkerEnd::Broken(format!(
                "its last {MAX_CONSECUTIVE_FAILURES} attempts failed for transient reasons, the last one: {}",
                failures[MAX_CONSECUTIVE_FAILURES - 1]
            )));
        }
        let claim_started = Instant::now();
        let mut is_repeated = false;
        let claimed =
            match patiently(Duration::ZERO, || claim(store, options, start, std::mem::replace(&mut is_repeated, true)))
                .await
            {
                Err(error @ StoreError::OtherVersion { .. }) => return Ok(WorkerEnd::OtherVersion(error.to_string())),
                outcome => outcome?,
            };
        if let Some(claim) = claimed {
            idle = false;
            match attempt::run(store, artifacts, &claim, start, options, stop).await? {
                WorkerHealth::Healthy => failures.clear(),
                WorkerHealth::Failing(reason) => failures.push(reason),
                WorkerHealth::DeviceLost(reason) => return Ok(WorkerEnd::DeviceLost(reason)),
                WorkerHealth::Unchanged => {}
            }
            continue;
        }
        if !options.attached && !patiently(Duration::ZERO, || store.has_open_stages(&options.wanted)).await? {
            return Ok(WorkerEnd::NothingLeft);
        }
        if !idle {
            Message::Idle.send();
            idle = true;
        }
        // If a claim takes long, try less often: looking for work must not become the main work.
        tokio::time::sleep(IDLE_INTERVAL.max(10 * claim_started.elapsed()).min(REAP_INTERVAL)).await;
        if reaped.elapsed() > REAP_INTERVAL {
            reaped = Instant::now();
            match reaper.reap(store).await {
                Ok(0) => {}
                Ok(freed) => tracing::info!(freed, "took back the stages of dead workers"),
                // The next claim waits for the server.
                Err(error) if error.is_unreachable() => tracing::warn!(%error, "cannot look for dead workers"),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(WorkerEnd::StopRequested)
}
