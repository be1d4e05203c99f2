//! What a running stage tells, on its way to the store and to the parent process.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{Message, Stop};
use crate::store::{Claim, Store, StoreError};
use crate::train::{Observer, Progress};

/// Seconds between two messages of progress to the parent.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// The ears of one attempt.
pub(super) struct AttemptObserver<'a> {
    pub(super) store: &'a Store,
    pub(super) claim: &'a Claim,
    pub(super) runtime: Handle,
    pub(super) stop: Stop,
    /// Curve points that are not stored yet.
    pub(super) pending: Vec<(String, u64, f64)>,
    pub(super) costs: BTreeMap<String, f64>,
    pub(super) last_progress: Option<Instant>,
    /// The first thing that went wrong with the store: the attempt fails with it.
    pub(super) trouble: Option<StoreError>,
    /// The lease is lost: whoever has it now computes the same.
    pub(super) lost: bool,
}

impl AttemptObserver<'_> {
    /// Keeps the first trouble; the text of any goes to the stage.
    fn keep<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, String> {
        outcome.map_err(|error| {
            let text = error.to_string();
            self.trouble.get_or_insert(error);
            text
        })
    }
}

impl Observer for AttemptObserver<'_> {
    fn metric(&mut self, name: &str, step: u64, value: f64) {
        self.pending.push((name.to_owned(), step, value));
    }

    fn store_metrics(&mut self) -> Result<(), String> {
        let points = std::mem::take(&mut self.pending);
        let outcome = self.runtime.block_on(self.store.add_metrics(self.claim, &points));
        self.lost |= !self.keep(outcome)?;
        Ok(())
    }

    fn rewind(&mut self, step: u64) {
        self.pending.clear();
        let outcome = self.runtime.block_on(self.store.rewind_metrics(self.claim, step));
        // Told by `stop_requested`.
        let _ = self.keep(outcome);
    }

    fn progress(&mut self, progress: Progress) {
        if self.last_progress.is_none_or(|last| last.elapsed() > PROGRESS_INTERVAL) {
            self.last_progress = Some(Instant::now());
            let Progress { done, total, unit, loss } = progress;
            Message::Progress { done, total, unit: unit.to_owned(), loss }.send();
        }
    }

    fn cost(&mut self, name: &str, value: f64) {
        self.costs.insert(name.to_owned(), value);
    }

    fn stop_requested(&self) -> bool {
        self.stop.requested() || self.lost || self.trouble.is_some()
    }
}
