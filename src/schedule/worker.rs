//! A worker: one process that claims one stage at a time until its sweep has none left.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::observer::AttemptObserver;
use super::process::reset_peak_rss;
use super::{Message, Stop, execute, host_name, peak_rss, process_started};
use crate::plan::StageKind;
use crate::store::{Artifacts, AttemptEnd, AttemptStart, Claim, FailureClass, Store, StoreError};
use crate::train::{StageContext, StageError};

/// Time between two heartbeats; a lease lasts six of them.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Time between two looks for work while others hold the rest.
const IDLE: Duration = Duration::from_millis(250);

/// What a worker is started with.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Id of the sweep that it serves.
    pub sweep: String,
    /// Threads that it may use.
    pub threads: usize,
}

/// Serves a sweep until nothing is left or a stop is asked for.
pub async fn work(
    store: &Store,
    artifacts: &Artifacts,
    options: &WorkerOptions,
    stop: &Stop,
) -> Result<(), StoreError> {
    let pid = std::process::id();
    let start = AttemptStart {
        worker: uuid::Uuid::now_v7().to_string(),
        host: host_name(),
        pid,
        process_started: process_started(pid),
        device: "cpu".to_owned(),
        threads: options.threads,
    };
    while !stop.requested() {
        match store.claim(&options.sweep, &start).await? {
            Some(claim) => run(store, artifacts, &claim, options.threads, stop).await?,
            None if store.open_stages(&options.sweep).await? == 0 => break,
            None => {
                tokio::time::sleep(IDLE).await;
                let freed = store.reap(&start.host, alive).await?;
                if freed > 0 {
                    tracing::info!(freed, "took back the stages of workers that are gone");
                }
            }
        }
    }
    Ok(())
}

/// Whether a process with this id and start time runs on this host.
pub(super) fn alive(pid: u32, started: Option<&str>) -> bool {
    match (process_started(pid), started) {
        (Some(now), Some(then)) => now == then,
        (now, None) => now.is_some(),
        (None, Some(_)) => false,
    }
}

/// One attempt, from claim to end.
async fn run(
    store: &Store,
    artifacts: &Artifacts,
    claim: &Claim,
    threads: usize,
    stop: &Stop,
) -> Result<(), StoreError> {
    let kind = claim.job.kind();
    let (kind_name, title) = (kind.name().to_owned(), claim.title.clone());
    Message::Claimed { kind: kind_name.clone(), title: title.clone(), stage: claim.stage.short().to_owned() }.send();
    tracing::info!(kind = kind_name, stage = claim.stage.short(), attempt = claim.attempt, title, "claimed");
    reset_peak_rss();
    let started = Instant::now();
    let heartbeat = tokio::spawn({
        let (store, claim) = (store.clone(), claim.clone());
        async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                // A missed beat is made up by the next; a lost lease shows at the end.
                match store.renew(&claim).await {
                    Ok(true) => tracing::trace!(stage = claim.stage.short(), "lease renewed"),
                    Ok(false) => tracing::warn!(stage = claim.stage.short(), "the lease is lost"),
                    Err(error) => tracing::warn!(stage = claim.stage.short(), %error, "the lease could not be renewed"),
                }
            }
        }
    });
    let (result, costs) = tokio::task::spawn_blocking({
        let (store, artifacts, claim, runtime) = (store.clone(), artifacts.clone(), claim.clone(), Handle::current());
        let stop = stop.clone();
        move || attempt(&store, &artifacts, &claim, threads, stop, runtime)
    })
    .await
    .unwrap_or_else(|error| (Err(failure(FailureClass::Bug, error.to_string())), Default::default()));
    heartbeat.abort();

    let end = match result {
        Ok(bytes) => AttemptEnd::Done { bytes },
        Err(end) => end,
    };
    let seconds = started.elapsed().as_secs_f64();
    let ours = store.finish(claim, &end, seconds, &costs, peak_rss()).await?;
    if ours && matches!(end, AttemptEnd::Done { .. }) {
        artifacts.discard_partial(&claim.stage);
        if kind == StageKind::Evaluate {
            store.settle_results(&claim.stage, artifacts).await?;
        }
    }
    let (state, reason) = match &end {
        _ if !ours => ("superseded", None),
        AttemptEnd::Done { .. } => ("done", None),
        AttemptEnd::Interrupted => ("interrupted", None),
        AttemptEnd::Failed { class, reason } => ("failed", Some(format!("{}: {reason}", class.name()))),
    };
    tracing::info!(kind = kind_name, stage = claim.stage.short(), state, seconds, reason, "ended");
    Message::Finished { kind: kind_name, title, state: state.to_owned(), reason, seconds }.send();
    if let AttemptEnd::Failed { class, .. } = end
        && class.is_transient()
    {
        // Whatever was full or busy gets time to recover.
        tokio::time::sleep(Duration::from_secs(1 << claim.attempt.clamp(0, 4))).await;
    }
    Ok(())
}

fn failure(class: FailureClass, reason: String) -> AttemptEnd {
    AttemptEnd::Failed { class, reason }
}

/// Executes and publishes; returns the artifact's size and the costs.
fn attempt(
    store: &Store,
    artifacts: &Artifacts,
    claim: &Claim,
    threads: usize,
    stop: Stop,
    runtime: Handle,
) -> (Result<u64, AttemptEnd>, std::collections::BTreeMap<String, f64>) {
    let mut observer = AttemptObserver {
        store,
        claim,
        runtime,
        stop,
        pending: Vec::new(),
        costs: Default::default(),
        last_progress: None,
        trouble: None,
        lost: false,
    };
    let result = prepare_and_execute(artifacts, claim, threads, &mut observer);
    let result = match observer.trouble.take() {
        Some(trouble) => Err(failure(FailureClass::Store, trouble.to_string())),
        None => result,
    };
    (result, observer.costs)
}

fn prepare_and_execute(
    artifacts: &Artifacts,
    claim: &Claim,
    threads: usize,
    observer: &mut AttemptObserver<'_>,
) -> Result<u64, AttemptEnd> {
    let store_error = |error: StoreError| failure(FailureClass::Store, error.to_string());
    let out = artifacts.create_temporary(&claim.token).map_err(store_error)?;
    let partial = artifacts.create_partial(&claim.stage).map_err(store_error)?;
    let mut context = StageContext { out: &out, partial: &partial, threads, observer };
    let result = catch_unwind(AssertUnwindSafe(|| execute(&claim.job, artifacts, &mut context)));
    let end = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(classify(&error)),
        Err(panic) => Some(failure(FailureClass::Bug, panic_text(panic.as_ref()))),
    };
    match end {
        None => publish(artifacts, claim, &out).map_err(store_error),
        Some(end) => {
            artifacts.discard_temporary(&out);
            Err(end)
        }
    }
}

fn publish(artifacts: &Artifacts, claim: &Claim, out: &Path) -> Result<u64, StoreError> {
    artifacts.publish(out, claim.job.kind(), &claim.stage)
}

fn classify(error: &StageError) -> AttemptEnd {
    let class = match error {
        StageError::Interrupted => return AttemptEnd::Interrupted,
        StageError::Diverged { .. } => FailureClass::Nan,
        StageError::Data(_) => FailureClass::Data,
        StageError::Artifact(_) => FailureClass::Store,
        StageError::OutOfMemory(_) => FailureClass::Oom,
        StageError::Bug(_) => FailureClass::Bug,
    };
    failure(class, error.to_string())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
