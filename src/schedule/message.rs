//! Messages from a worker to its parent process: one JSON object per line on standard output.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::stages::StageKind;
use crate::store::{AttemptState, Retrying};

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Message {
    /// A stage was claimed.
    Claimed {
        /// Kind of stage.
        kind: StageKind,
        /// Title of a run that needs the stage.
        title: String,
        /// Key of the stage.
        stage: String,
    },
    /// A stage made progress.
    Progress {
        /// Number of finished units.
        done: usize,
        /// Total number of units.
        total: usize,
        /// Name of a unit.
        unit: String,
        /// Latest loss.
        loss: Option<f64>,
    },
    /// A stage ended.
    Finished {
        /// Kind of stage.
        kind: StageKind,
        /// Title of a run that needs the stage.
        title: String,
        /// How the attempt ended.
        state: AttemptState,
        /// Why the attempt failed.
        reason: Option<String>,
        /// Duration of the attempt, seconds.
        seconds: f64,
        /// When the stage is retried, if it failed and is retried.
        #[serde(default)]
        retrying: Option<Retrying>,
    },
    /// No stage can be claimed now.
    Idle,
    /// The worker exits, because another version of didact planned the sweep.
    Refused {
        /// Message of the worker.
        reason: String,
    },
    /// The worker stops claiming because too many attempts failed.
    Stopped {
        /// Why the worker stops.
        reason: String,
    },
}

impl Message {
    /// Queues the message for the parent and returns at once. A stopped parent reads nothing, and must not block the stage.
    /// Other code detects a parent that has exited.
    pub(super) fn send(&self) {
        let Ok(line) = serde_json::to_string(self) else { return };
        let outbox = LazyLock::force(&OUTBOX);
        let mut lines = outbox.lines();
        // Progress is outdated once the parent reads again.
        let is_stale = matches!(self, Self::Progress { .. }) && !lines.queue.is_empty();
        if !is_stale && lines.queue.len() < MAX_QUEUED {
            lines.queue.push_back(line);
            outbox.changed.notify_all();
        }
    }

    /// Waits until all messages are written, or the parent has exited.
    pub fn flush() {
        let outbox = LazyLock::force(&OUTBOX);
        let mut lines = outbox.lines();
        while lines.writing || !lines.queue.is_empty() {
            lines = outbox.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Number of messages that are kept for a parent that does not read: enough for thousands of stages.
const MAX_QUEUED: usize = 10_000;

/// Messages that wait to be written to standard output.
#[derive(Default)]
struct Outbox {
    lines: Mutex<Lines>,
    /// Signals that a line was added or written.
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    queue: VecDeque<String>,
    writing: bool,
}

static OUTBOX: LazyLock<Outbox> = LazyLock::new(|| {
    // The thread ends with the process. If it cannot be started, no message is sent.
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
            match lines.queue.pop_front() {
                None => lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner),
                Some(line) => {
                    lines.writing = true;
                    drop(lines);
                    // `println!` would panic if the parent has closed the pipe.
                    let _ = writeln!(std::io::stdout().lock(), "{line}");
                    lines = self.lines();
                    lines.writing = false;
                    self.changed.notify_all();
                }
            }
        }
    }
}
