//! What a worker tells the process that started it: one JSON object a line on standard output.

use std::io::Write;

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Message {
    /// A stage was claimed.
    Claimed {
        /// Kind of stage.
        kind: String,
        /// The run for whose sake.
        title: String,
        /// First digits of the stage's key.
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
        kind: String,
        /// The run for whose sake.
        title: String,
        /// done, failed, interrupted, superseded.
        state: String,
        /// Why it failed.
        reason: Option<String>,
        /// How long it took.
        seconds: f64,
    },
    /// There is nothing to claim now.
    Idle,
    /// The worker does not trust itself or its machine any more.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl Message {
    /// Tells the parent. A parent that is gone is noticed elsewhere, and must not cost the stage: `println!` would panic.
    pub(super) fn send(&self) {
        if let Ok(line) = serde_json::to_string(self) {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}
