//! Runs one attempt of a stage, from claim to end.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::clock::Clock;
use super::log::AttemptLog;
use super::memory::reset_peak_rss;
use super::observer::{AttemptObserver, Flags};
use super::patience::{RESULT, patiently};
use super::{Message, Stop, WorkerOptions, cores, peak_rss};
use crate::exit::Exit;
use crate::stages::ArtifactFolders;
use crate::store::{
    Artifacts, AttemptEnd, AttemptStart, BusyThreads, Claim, FailureClass, Published, Store, StoreError,
};
use crate::training::{StageContext, StageError, Threads};

/// Time between two renewals of the lease, which lasts for six of them.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// Time between two checks whether any run still needs the stage.
const WANTED_INTERVAL: Duration = Duration::from_secs(1);
/// Time after `--stage-timeout` in which a stage may finish its current step.
const TIMEOUT_GRACE: Duration = Duration::from_secs(30);

/// What the end of an attempt says about the health of its worker.
pub(super) enum WorkerHealth {
    /// The worker works.
    Healthy,
    /// The attempt failed for a transient reason, which is given.
    Failing(String),
    /// This process can no longer use its device; the reason is given.
    DeviceLost(String),
    /// Nothing: the attempt was interrupted or superseded, or it needs more time.
    Unchanged,
}

/// Runs one attempt and stores how it ended. The stage reads artifacts in `inputs`.
///
/// # Errors
/// The store cannot be read or written.
pub(super) async fn run(
    store: &Store,
    (artifacts, inputs): (&Artifacts, &Arc<dyn ArtifactFolders + Send + Sync>),
    claim: &Claim,
    worker: &AttemptStart,
    options: &WorkerOptions,
    stop: &Stop,
) -> Result<WorkerHealth, StoreError> {
    let kind = claim.job.kind();
    let title = claim.title.clone();
    AttemptLog::begin(&artifacts.root().join(Artifacts::relative_log(&claim.token)));
    Message::Claimed { kind, title: title.clone(), stage: claim.stage.as_str().to_owned() }.send();
    tracing::info!(kind = kind.name(), stage = claim.stage.as_str(), attempt = claim.attempt, title, "claimed");
    reset_peak_rss();
    let clock = Clock::start();
    let flags = Flags::default();
    let threads = Arc::new(Threads::new(options.threads));
    let heartbeat = spawn_heartbeat(
        store.clone(),
        claim.clone(),
        worker.clone(),
        flags.clone(),
        (clock.clone(), options.stage_timeout, stop.clone()),
        // A worker that was started by hand keeps to its own threads.
        options.attached.then(|| threads.clone()),
    );
    let (result, costs, advanced, device_lost) = tokio::task::spawn_blocking({
        let (store, artifacts, claim, runtime) = (store.clone(), artifacts.clone(), claim.clone(), Handle::current());
        let inputs = inputs.clone();
        let (stop, options) = (stop.clone(), options.clone());
        let (clock, timeout) = (clock.clone(), options.stage_timeout);
        let threads = threads.clone();
        move || {
            let mut observer = AttemptObserver {
                store: &store,
                claim: &claim,
                runtime,
                stop,
                flags,
                clock,
                timeout,
                pending: Vec::new(),
                costs: BTreeMap::new(),
                last_progress: None,
                artifacts: &artifacts,
                kept: BTreeMap::new(),
                advanced: false,
                store_error: None,
            };
            let mut device_lost = false;
            let result = prepare_and_execute(
                (&artifacts, &*inputs),
                &claim,
                &options,
                &mut observer,
                &mut device_lost,
                &threads,
            );
            let result = observer.resolve(result);
            (result, observer.costs, observer.advanced, device_lost)
        }
    })
    .await
    .unwrap_or_else(|error| {
        (Err(AttemptEnd::failed(FailureClass::Bug, error.to_string())), BTreeMap::new(), false, false)
    });

    let end = match result {
        Ok(published) => AttemptEnd::Done(published),
        Err(end) => end,
    };
    let seconds = clock.elapsed().as_secs_f64();
    let held = patiently(RESULT, || store.finish(claim, worker, &end, seconds, &costs, peak_rss())).await?;
    heartbeat.abort();
    if held && matches!(end, AttemptEnd::Done(_)) {
        artifacts.discard_partial(&claim.stage);
        if kind.results().is_some() {
            patiently(RESULT, || store.settle_results(&claim.stage, artifacts)).await?;
        }
    }
    let state = end.attempt_state(held);
    let reason = match &end {
        AttemptEnd::Failed { class, reason } if held => Some(format!("{}: {reason}", class.name())),
        _ => None,
    };
    tracing::info!(kind = kind.name(), stage = claim.stage.as_str(), state = state.name(), seconds, reason, "ended");
    AttemptLog::end();
    let (log, artifacts) = (claim.token.clone(), artifacts.clone());
    // A log that is only on this machine is no reason to stop.
    let _ = tokio::task::spawn_blocking(move || artifacts.keep_log(&log)).await;
    let retrying = match &end {
        // Only shown to a person, so an error is ignored.
        AttemptEnd::Failed { .. } if held => store.retrying(claim.stage.as_str()).await.ok().flatten(),
        _ => None,
    };
    Message::Finished { kind, title, state, reason: reason.clone(), seconds, retrying }.send();
    Ok(match end {
        AttemptEnd::Failed { .. } if device_lost => WorkerHealth::DeviceLost(reason.unwrap_or_default()),
        // The stage made progress and left a checkpoint to resume from: the machine is healthy.
        AttemptEnd::Failed { class: FailureClass::Timeout, .. } if advanced => WorkerHealth::Unchanged,
        AttemptEnd::Failed { class, .. } if held && class.is_infrastructure() => {
            WorkerHealth::Failing(reason.unwrap_or_default())
        }
        AttemptEnd::Failed { .. } | AttemptEnd::Done(_) if !held => WorkerHealth::Unchanged,
        AttemptEnd::Failed { .. } | AttemptEnd::Done(_) => WorkerHealth::Healthy,
        AttemptEnd::Interrupted => WorkerHealth::Unchanged,
    })
}

/// Returns how many threads a worker may take besides its own: an equal part of the cores that no running stage uses.
fn share(cores: usize, BusyThreads { stages, threads }: BusyThreads) -> usize {
    cores.saturating_sub(threads) / stages.max(1)
}

/// Starts a task that renews the lease, divides idle cores, and checks whether the stage is still needed and in time. The caller aborts it.
fn spawn_heartbeat(
    store: Store,
    claim: Claim,
    worker: AttemptStart,
    flags: Flags,
    (clock, timeout, stop): (Clock, Option<Duration>, Stop),
    threads: Option<Arc<Threads>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut renewed = Instant::now();
        let mut announced_stop = false;
        loop {
            tokio::time::sleep(WANTED_INTERVAL).await;
            if stop.requested() && !announced_stop {
                announced_stop = store.stops_soon(&claim.token).await.is_ok();
            }
            let elapsed = clock.elapsed();
            match store.is_wanted(&claim).await {
                Ok(wanted) => flags.unwanted.store(!wanted, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "cannot check whether any run still needs the stage"),
            }
            if let Some(threads) = &threads {
                match store.busy_threads(&worker.host).await {
                    Ok(busy) => threads.set_free(threads.own() + share(cores(), busy)),
                    Err(error) => tracing::warn!(%error, "cannot read how many threads other workers use"),
                }
            }
            if renewed.elapsed() >= HEARTBEAT_INTERVAL {
                // The next renewal makes up for one that failed.
                match store.renew(&claim, &worker.worker).await {
                    Ok(held) => {
                        renewed = Instant::now();
                        flags.lost.store(!held, Ordering::Relaxed);
                    }
                    Err(error) => tracing::warn!(%error, "cannot renew the lease"),
                }
            }
            if let Some(timeout) = timeout
                && elapsed > timeout + TIMEOUT_GRACE
            {
                let end = AttemptEnd::failed(
                    FailureClass::Timeout,
                    format!("hung: no step ended within {TIMEOUT_GRACE:?} after --stage-timeout"),
                );
                let seconds = elapsed.as_secs_f64();
                // The process exits even if this fails: its parent then records the timeout.
                let _ = store.finish(&claim, &worker, &end, seconds, &BTreeMap::new(), peak_rss()).await;
                Exit::Hung.at_once();
            }
        }
    })
}

/// Executes a stage and publishes its artifact.
fn prepare_and_execute(
    (artifacts, inputs): (&Artifacts, &dyn ArtifactFolders),
    claim: &Claim,
    options: &WorkerOptions,
    observer: &mut AttemptObserver<'_>,
    device_lost: &mut bool,
    threads: &Threads,
) -> Result<Published, AttemptEnd> {
    let store_error = |error: StoreError| AttemptEnd::failed(FailureClass::Store, error.to_string());
    // An earlier attempt may have died between the rename and the row: its artifact is complete, and its curves were stored before.
    // An object store may have lost an artifact that this machine still has.
    if (claim.attempt > 1 || artifacts.are_remote())
        && let Some(published) = artifacts.find_unrecorded(claim.job.kind(), &claim.stage).map_err(store_error)?
    {
        tracing::info!("an earlier attempt has already published the artifact; nothing is computed");
        return Ok(published);
    }
    // If an input is damaged, the stage is interrupted: it waits until the input is computed again.
    let check_inputs = |observer: &mut AttemptObserver<'_>| match observer.inputs_are_intact(artifacts) {
        Ok(true) => Ok(()),
        Ok(false) => {
            // The stage's checkpoints may depend on the damaged input.
            artifacts.discard_partial(&claim.stage);
            Err(AttemptEnd::Interrupted)
        }
        Err(error) => Err(store_error(error)),
    };
    check_inputs(observer)?;
    let out = artifacts.create_temporary(&claim.token).map_err(store_error)?;
    let partial = artifacts.create_partial(&claim.stage, claim.attempt).map_err(store_error)?;
    let mut context =
        StageContext { out: &out, partial: &partial, threads, device_memory: options.device_memory, observer };
    let result = catch_unwind(AssertUnwindSafe(|| (options.execute)(&claim.job, inputs, &mut context)));
    let end = result.unwrap_or_else(|panic| Err(StageError::of_panic(panic))).err().map(|error| {
        *device_lost = matches!(error, StageError::DeviceLost(_));
        classify(&error)
    });
    // Inputs may have changed during execution. A result or a failure that is based on changed inputs is discarded.
    let end = match end {
        Some(AttemptEnd::Interrupted) => Some(AttemptEnd::Interrupted),
        end => check_inputs(observer).err().or(end),
    };
    let published = match end {
        None => artifacts.publish(&out, claim.job.kind(), &claim.stage).map_err(store_error),
        Some(end) => Err(end),
    };
    if published.is_err() {
        artifacts.discard_temporary(&out);
    }
    published
}

fn classify(error: &StageError) -> AttemptEnd {
    let class = match error {
        StageError::Interrupted => return AttemptEnd::Interrupted,
        StageError::Diverged { .. } => FailureClass::Nan,
        StageError::Data(_) => FailureClass::Data,
        StageError::Artifact(_) => FailureClass::Store,
        StageError::OutOfMemory(_) => FailureClass::Oom,
        StageError::DeviceLost(_) => FailureClass::Signal,
        StageError::Bug(_) => FailureClass::Bug,
    };
    AttemptEnd::failed(class, error.to_string())
}
