//! Receives what a running stage reports, and passes it to the store and to the parent process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::clock::Clock;
use super::patience::patiently;
use super::{Message, Stop};
use crate::cause::Cause;
use crate::store::{Artifacts, AttemptEnd, Claim, FailureClass, Kept, Published, Store, StoreError};
use crate::training::{Observer, Progress};

/// Time between two progress messages to the parent.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What the heartbeat tells the stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Flags {
    /// The lease is lost: another worker now computes the same stage.
    pub lost: Arc<AtomicBool>,
    /// All runs that needed the stage were cancelled or pruned.
    pub unwanted: Arc<AtomicBool>,
}

/// Receives what the stage of one attempt reports.
pub(super) struct AttemptObserver<'a> {
    pub(super) store: &'a Store,
    pub(super) claim: &'a Claim,
    pub(super) runtime: Handle,
    pub(super) stop: Stop,
    pub(super) flags: Flags,
    /// Clock of the attempt.
    pub(super) clock: Clock,
    /// Time after which the attempt fails.
    pub(super) timeout: Option<Duration>,
    /// Curve points that are not yet stored.
    pub(super) pending: Vec<(String, u64, f64)>,
    pub(super) costs: BTreeMap<String, f64>,
    pub(super) last_progress: Option<Instant>,
    pub(super) artifacts: &'a Artifacts,
    /// Checkpoints that are in the object store.
    pub(super) kept: Kept,
    /// Whether an epoch was finished and stored.
    pub(super) advanced: bool,
    /// First error of the store; the attempt fails with it.
    pub(super) store_error: Option<Arc<StoreError>>,
}

impl AttemptObserver<'_> {
    /// Keeps the first error; returns every error to the stage as the cause of its end.
    fn record_error<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, Cause> {
        outcome.map_err(|error| {
            let error = Arc::new(error);
            self.store_error.get_or_insert_with(|| Arc::clone(&error));
            error.into()
        })
    }

    /// Returns whether the stage's inputs are as published. Damaged artifacts return to pending.
    pub(super) fn inputs_are_intact(&mut self, artifacts: &Artifacts) -> Result<bool, StoreError> {
        self.runtime.block_on(patiently(Duration::ZERO, || self.store.inputs_are_intact(artifacts, &self.claim.job)))
    }

    fn is_overdue(&self) -> bool {
        self.timeout.is_some_and(|timeout| self.clock.elapsed() > timeout)
    }

    /// Replaces a stage's end by its cause: an interrupted stage may have stopped because of the store or the timeout.
    pub(super) fn resolve(&mut self, result: Result<Published, AttemptEnd>) -> Result<Published, AttemptEnd> {
        match (self.store_error.take(), result) {
            (_, Ok(published)) => Ok(published),
            (Some(store_error), Err(_)) => Err(AttemptEnd::failed(FailureClass::Store, store_error.to_string())),
            (None, Err(AttemptEnd::Interrupted)) if self.is_overdue() && !self.stop.requested() => {
                Err(AttemptEnd::failed(FailureClass::Timeout, "exceeded --stage-timeout".to_owned()))
            }
            (None, Err(end)) => Err(end),
        }
    }
}

impl Observer for AttemptObserver<'_> {
    fn metric(&mut self, name: &str, step: u64, value: f64) {
        tracing::debug!(name, step, value, "metric");
        self.pending.push((name.to_owned(), step, value));
    }

    fn store_metrics(&mut self) -> Result<(), Cause> {
        let points = std::mem::take(&mut self.pending);
        let outcome = self.runtime.block_on(patiently(Duration::ZERO, || self.store.add_metrics(self.claim, &points)));
        match self.record_error(outcome)? {
            true => self.advanced = true,
            false => self.flags.lost.store(true, Ordering::Relaxed),
        }
        Ok(())
    }

    fn keep_checkpoint(&mut self) -> Result<(), Cause> {
        let kept = self.artifacts.keep_partial(&self.claim.stage, self.claim.attempt, &mut self.kept);
        self.record_error(kept)
    }

    fn rewind(&mut self, step: u64) {
        tracing::info!(epoch = step, "resumes after this epoch");
        self.pending.clear();
        let outcome = self.runtime.block_on(patiently(Duration::ZERO, || self.store.rewind_metrics(self.claim, step)));
        // `stop_requested` reports the error.
        let _ = self.record_error(outcome);
    }

    fn progress(&mut self, progress: Progress) {
        let Progress { done, total, unit, loss } = progress;
        if unit == "epoch" {
            tracing::info!(epoch = done, of = total, loss, "trained");
        }
        if self.last_progress.is_none_or(|last| last.elapsed() > PROGRESS_INTERVAL) {
            self.last_progress = Some(Instant::now());
            Message::Progress { done, total, unit: unit.to_owned(), loss }.send();
        }
    }

    fn cost(&mut self, name: &str, value: f64) {
        self.costs.insert(name.to_owned(), value);
    }

    fn stop_requested(&self) -> bool {
        self.stop.requested()
            || self.flags.lost.load(Ordering::Relaxed)
            || self.flags.unwanted.load(Ordering::Relaxed)
            || self.store_error.is_some()
            || self.is_overdue()
    }
}
