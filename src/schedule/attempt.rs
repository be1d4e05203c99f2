//! One attempt of a stage, from claim to end.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::clock::Clock;
use super::log::AttemptLog;
use super::memory::reset_peak_rss;
use super::observer::{AttemptObserver, Flags};
use super::{Message, Stop, WorkerOptions, peak_rss};
use crate::exit::Exit;
use crate::store::{Artifacts, AttemptEnd, AttemptStart, Claim, FailureClass, Published, Store, StoreError};
use crate::training::{StageContext, StageError};

/// Time between two heartbeats; a lease lasts six of them.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Time between two looks whether anybody still wants the stage.
const INTEREST: Duration = Duration::from_secs(1);
/// After its time is over a stage has so long to come to the end of its step.
const GRACE: Duration = Duration::from_secs(30);

/// What an attempt says of its worker.
pub(super) enum Ended {
    /// The worker can work.
    Well,
    /// It failed for reasons of the machine.
    Badly(String),
    /// Its device is of no more use to this process.
    WithoutDevice(String),
    /// Nothing: it was interrupted or superseded, or only needs more time.
    Elsewise,
}

/// Runs one attempt.
pub(super) async fn run(
    store: &Store,
    artifacts: &Artifacts,
    claim: &Claim,
    worker: &AttemptStart,
    options: &WorkerOptions,
    stop: &Stop,
) -> Result<Ended, StoreError> {
    let kind = claim.job.kind();
    let title = claim.title.clone();
    AttemptLog::begin(&artifacts.root().join(Artifacts::relative_log(&claim.token)));
    Message::Claimed { kind, title: title.clone(), stage: claim.stage.as_str().to_owned() }.send();
    tracing::info!(kind = kind.name(), stage = claim.stage.as_str(), attempt = claim.attempt, title, "claimed");
    reset_peak_rss();
    let clock = Clock::start();
    let flags = Flags::default();
    let heart =
        beat(store.clone(), claim.clone(), worker.clone(), flags.clone(), (clock.clone(), options.stage_timeout));
    let (result, costs, advanced, device_lost) = tokio::task::spawn_blocking({
        let (store, artifacts, claim, runtime) = (store.clone(), artifacts.clone(), claim.clone(), Handle::current());
        let (stop, options) = (stop.clone(), options.clone());
        let (clock, timeout) = (clock.clone(), options.stage_timeout);
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
                advanced: false,
                trouble: None,
            };
            let mut device_lost = false;
            let result = prepare_and_execute(&artifacts, &claim, &options, &mut observer, &mut device_lost);
            let result = observer.verdict(result);
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
    let seconds = clock.ran().as_secs_f64();
    let ours = insist(|| store.finish(claim, worker, &end, seconds, &costs, peak_rss())).await?;
    heart.abort();
    if ours && matches!(end, AttemptEnd::Done(_)) {
        artifacts.discard_partial(&claim.stage);
        if kind.results().is_some() {
            insist(|| store.settle_results(&claim.stage, artifacts)).await?;
        }
    }
    let state = end.attempt_state(ours);
    let reason = match &end {
        AttemptEnd::Failed { class, reason } if ours => Some(format!("{}: {reason}", class.name())),
        _ => None,
    };
    tracing::info!(kind = kind.name(), stage = claim.stage.as_str(), state = state.name(), seconds, reason, "ended");
    AttemptLog::end();
    let retrying = match &end {
        // For people alone: what cannot be seen is not said.
        AttemptEnd::Failed { .. } if ours => store.retrying(claim.stage.as_str()).await.ok().flatten(),
        _ => None,
    };
    Message::Finished { kind, title, state, reason: reason.clone(), seconds, retrying }.send();
    Ok(match end {
        AttemptEnd::Failed { .. } if device_lost => Ended::WithoutDevice(reason.unwrap_or_default()),
        // It got on, left a checkpoint, and goes on from there: nothing is wrong with the machine.
        AttemptEnd::Failed { class: FailureClass::Timeout, .. } if advanced => Ended::Elsewise,
        AttemptEnd::Failed { class, .. } if ours && class.is_infrastructure() => {
            Ended::Badly(reason.unwrap_or_default())
        }
        AttemptEnd::Failed { .. } | AttemptEnd::Done(_) if !ours => Ended::Elsewise,
        AttemptEnd::Failed { .. } | AttemptEnd::Done(_) => Ended::Well,
        AttemptEnd::Interrupted => Ended::Elsewise,
    })
}

/// Renews the lease until aborted, and watches whether the stage is wanted and in time.
fn beat(
    store: Store,
    claim: Claim,
    worker: AttemptStart,
    flags: Flags,
    (clock, timeout): (Clock, Option<Duration>),
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(INTEREST).await;
            let ran = clock.ran();
            match store.is_wanted(&claim).await {
                Ok(wanted) => flags.unwanted.store(!wanted, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "cannot see whether the stage is wanted"),
            }
            if renewed.elapsed() >= HEARTBEAT {
                // A missed beat is made up by the next.
                match store.renew(&claim, &worker.worker).await {
                    Ok(held) => {
                        renewed = Instant::now();
                        flags.lost.store(!held, Ordering::Relaxed);
                    }
                    Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
                }
            }
            if let Some(timeout) = timeout
                && ran > timeout + GRACE
            {
                let end = AttemptEnd::failed(
                    FailureClass::Timeout,
                    format!("it hung: no step ended within {GRACE:?} after its time was over"),
                );
                let seconds = ran.as_secs_f64();
                // The process ends in any case: whoever started it says why.
                let _ = store.finish(&claim, &worker, &end, seconds, &BTreeMap::new(), peak_rss()).await;
                Exit::Hung.at_once();
            }
        }
    })
}

/// Tries a write again while the store is full or busy: what was computed must not be lost for a moment's want.
async fn insist<T, F: Future<Output = Result<T, StoreError>>>(mut write: impl FnMut() -> F) -> Result<T, StoreError> {
    let mut pause = Duration::from_millis(100);
    loop {
        match write().await {
            Err(error @ (StoreError::Sql(_) | StoreError::Artifact { .. })) if pause < Duration::from_secs(4) => {
                tracing::warn!(%error, "the store could not be written; trying again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
}

/// Executes and publishes.
fn prepare_and_execute(
    artifacts: &Artifacts,
    claim: &Claim,
    options: &WorkerOptions,
    observer: &mut AttemptObserver<'_>,
    device_lost: &mut bool,
) -> Result<Published, AttemptEnd> {
    let store_error = |error: StoreError| AttemptEnd::failed(FailureClass::Store, error.to_string());
    // An earlier attempt may have died between the rename and the row: its artifact is whole, its curves were stored before.
    if claim.attempt > 1
        && let Some(published) = artifacts.left_behind(claim.job.kind(), &claim.stage)
    {
        tracing::info!("an earlier attempt has left the artifact: nothing to compute");
        return Ok(published);
    }
    // The stage waits until what was damaged is made again.
    let intact = |observer: &mut AttemptObserver<'_>| match observer.inputs_are_intact(artifacts) {
        Ok(true) => Ok(()),
        Ok(false) => {
            // Its checkpoints may have been computed from what is damaged.
            artifacts.discard_partial(&claim.stage);
            Err(AttemptEnd::Interrupted)
        }
        Err(error) => Err(store_error(error)),
    };
    intact(observer)?;
    let out = artifacts.create_temporary(&claim.token).map_err(store_error)?;
    let partial = artifacts.create_partial(&claim.stage, claim.attempt).map_err(store_error)?;
    let mut context = StageContext {
        out: &out,
        partial: &partial,
        threads: options.threads,
        device_memory: options.device_memory,
        observer,
    };
    let result = catch_unwind(AssertUnwindSafe(|| (options.execute)(&claim.job, artifacts, &mut context)));
    // Where dfdx has no way to return an error of the device it panics with it.
    let end = result.unwrap_or_else(|panic| Err(StageError::of_text(panic_text(panic.as_ref())))).err().map(|error| {
        *device_lost = matches!(error, StageError::DeviceLost(_));
        classify(&error)
    });
    // Files may have been changed or removed while they were read: what was computed from them, or failed for want of them, is void.
    let end = match end {
        Some(AttemptEnd::Interrupted) => Some(AttemptEnd::Interrupted),
        end => intact(observer).err().or(end),
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

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
