//! What a worker tells the process that started it: one JSON object a line on standard output.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::stages::StageKind;
use crate::store::{AttemptState, Retrying};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Message {
    /// A stage was claimed.
    Claimed {
        /// Kind of stage.
        kind: StageKind,
        /// The run for whose sake.
        title: String,
        /// The stage's key.
        stage: String,
    },
    /// How far it is.
    Progress {
        /// Finished units.
        done: usize,
        /// Units in all.
        total: usize,
        /// What a unit is.
        unit: String,
        /// Latest loss.
        loss: Option<f64>,
    },
    /// It ended.
    Finished {
        /// Kind of stage.
        kind: StageKind,
        /// The run for whose sake.
        title: String,
        /// What became of it.
        state: AttemptState,
        /// Why it failed.
        reason: Option<String>,
        /// How long it took.
        seconds: f64,
        /// When it is tried again, if it failed and is.
        #[serde(default)]
        retrying: Option<Retrying>,
    },
    /// There is nothing to claim now.
    Idle,
    /// The worker leaves, for another version of didact planned the sweep.
    Refused {
        /// What it says.
        reason: String,
    },
    /// The worker does not trust itself or its machine any more.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl Message {
    /// Tells the parent, without waiting for it: one that is stopped reads nothing, and must not stop the stage. One that is gone
    /// is noticed elsewhere.
    pub(super) fn send(&self) {
        let Ok(line) = serde_json::to_string(self) else { return };
        let outbox = LazyLock::force(&OUTBOX);
        let mut lines = outbox.lines();
        // Progress that nobody reads is out of date by the time that somebody does.
        let is_late = matches!(self, Self::Progress { .. }) && !lines.waiting.is_empty();
        if !is_late && lines.waiting.len() < MOST_WAITING {
            lines.waiting.push_back(line);
            outbox.changed.notify_all();
        }
    }

    /// Waits until the parent has been told everything, or has gone.
    pub fn flush() {
        let outbox = LazyLock::force(&OUTBOX);
        let mut lines = outbox.lines();
        while lines.writing || !lines.waiting.is_empty() {
            lines = outbox.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Messages that are kept for a parent that does not read: some for each of thousands of stages.
const MOST_WAITING: usize = 10_000;

/// Lines on their way to standard output.
#[derive(Default)]
struct Outbox {
    lines: Mutex<Lines>,
    /// A line was added, or written.
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<String>,
    writing: bool,
}

static OUTBOX: LazyLock<Outbox> = LazyLock::new(|| {
    // It ends with the process. Where it cannot be started, nothing is told.
    let _ = std::thread::Builder::new().name("messages".to_owned()).spawn(|| OUTBOX.write_all());
    Outbox::default()
});

impl Outbox {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self) {
        let mut lines = self.lines();
        loop {
            match lines.waiting.pop_front() {
                None => lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner),
                Some(line) => {
                    lines.writing = true;
                    drop(lines);
                    // `println!` would panic where nobody listens any more.
                    let _ = writeln!(std::io::stdout().lock(), "{line}");
                    lines = self.lines();
                    lines.writing = false;
                    self.changed.notify_all();
                }
            }
        }
    }
}
