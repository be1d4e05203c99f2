//! A worker: a process that claims and runs one stage at a time until its sweep has no open stage.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::attempt::WorkerHealth;
use super::deadline::{Deadline, Fit};
use super::patience::{patiently, wait_for_folder};
use super::reaper::Reaper;
use super::{Message, Stop, attempt, host_name, process_started, slurm};
use crate::stages::{ArtifactFolders, StageJob, execute};
use crate::store::{Artifacts, AttemptStart, Claim, Scratch, Store, StoreError, Wanted};
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
    /// Folder of this machine for copies of artifacts; `None` if artifacts are read where they are.
    pub scratch: Option<PathBuf>,
    /// Time at which the worker must have stopped; `None` if it may run as long as it likes.
    pub until: Option<SystemTime>,
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
            scratch: None,
            until: None,
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
    /// The next stage does not fit into the time that is left, but into that of another worker.
    OutOfTime,
    /// The next stage needs a worker that has more time than this one had from its start; holds a message.
    TooLittleTime(String),
    /// The last workers on this host stopped because of the machine; holds all such hosts.
    BrokenHost(Vec<String>),
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
    // Slurm has other nodes. On a person's own machine, a refused worker would help nobody.
    let broken = match slurm::in_job() && !options.attached {
        true => store.broken_hosts(&options.wanted.sweep).await?,
        false => Vec::new(),
    };
    if broken.contains(&start.host) {
        return Ok(WorkerEnd::BrokenHost(broken));
    }
    store.worker_starts(&options.wanted.sweep, &start, slurm::job_id()).await?;
    let end = serve(store, artifacts, options, &start, stop).await?;
    let reason = match &end {
        WorkerEnd::NothingLeft => "no stage left",
        WorkerEnd::StopRequested => "asked to stop",
        WorkerEnd::OutOfTime => "too little time left for the next stage",
        WorkerEnd::BrokenHost(_) => "the last workers on this host stopped because of the machine",
        WorkerEnd::TooLittleTime(reason) => {
            store.record_event(&options.wanted.sweep, "too-little-time", reason).await?;
            reason
        }
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
    let broken = matches!(end, WorkerEnd::Broken(_) | WorkerEnd::DeviceLost(_));
    store.worker_stops(&start.worker, reason, broken).await?;
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

/// Returns the artifacts, and where stages read them: copies on this machine, if there is a folder for them.
async fn places(
    store: &Store,
    artifacts: &Artifacts,
    options: &WorkerOptions,
) -> Result<(Artifacts, Arc<dyn ArtifactFolders + Send + Sync>), StoreError> {
    let in_place =
        || -> (Artifacts, Arc<dyn ArtifactFolders + Send + Sync>) { (artifacts.clone(), Arc::new(artifacts.clone())) };
    let Some(folder) = &options.scratch else { return Ok(in_place()) };
    match Scratch::open(folder, &store.id().await?, artifacts) {
        Ok(scratch) => Ok((scratch.artifacts().clone(), Arc::new(scratch))),
        Err(error) => {
            tracing::warn!(%error, "cannot use the scratch folder; reading artifacts where they are");
            Ok(in_place())
        }
    }
}

/// Decides whether the stage that the worker would claim now fits into its time.
async fn fit_of_next_stage(store: &Store, options: &WorkerOptions, deadline: &Deadline) -> Result<Fit, StoreError> {
    match store.next_stage(&options.wanted).await? {
        Some(stage) => Ok(deadline.fit(&stage, &store.rates().await?, options.threads)),
        None => Ok(Fit::Fits),
    }
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
    let mut deadline = options.until.map(Deadline::new);
    let (artifacts, inputs) = places(store, artifacts, options).await?;
    let artifacts = &artifacts;
    while !stop.requested() {
        // Perhaps the attempt failed because of the folder, which other stages need, too.
        if !failures.is_empty() && wait_for_folder(artifacts, stop).await {
            failures.clear();
            continue;
        }
        if failures.len() >= MAX_CONSECUTIVE_FAILURES {
            return Ok(WorkerEnd::Broken(format!(
                "its last {MAX_CONSECUTIVE_FAILURES} attempts failed for transient reasons, the last one: {}",
                failures[MAX_CONSECUTIVE_FAILURES - 1]
            )));
        }
        if let Some(deadline) = &deadline {
            match patiently(Duration::ZERO, || fit_of_next_stage(store, options, deadline)).await? {
                Fit::Fits => {}
                Fit::NextJob => return Ok(WorkerEnd::OutOfTime),
                Fit::LongerJobs(message) => return Ok(WorkerEnd::TooLittleTime(message)),
            }
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
            deadline.iter_mut().for_each(|deadline| deadline.is_fresh = false);
            match attempt::run(store, (artifacts, &inputs), &claim, start, options, stop).await? {
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
