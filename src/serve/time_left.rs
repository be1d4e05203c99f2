//! How long the rest of a sweep takes.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::schedule::cores;
use crate::store::{RunState, SweepStatus};
use crate::text::rough_duration;

/// Estimate of the time until the planned runs of a sweep are done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TimeLeft {
    /// No run is open.
    Nothing,
    /// No stage of one of the open kinds has ever been done.
    Unknown,
    /// No worker is running.
    WithoutWorkers {
        /// Seconds that this machine would need.
        seconds: f64,
        /// Number of its threads.
        threads: usize,
    },
    /// Workers are running.
    About {
        /// Seconds that they need.
        seconds: f64,
    },
}

impl TimeLeft {
    /// Returns the estimate for a status.
    pub fn of(status: &SweepStatus) -> Self {
        if status.runs_in(RunState::Pending) + status.runs_in(RunState::Running) == 0 {
            return Self::Nothing;
        }
        let threads: i64 = status.workers.iter().map(|worker| worker.threads).sum();
        match (status.thread_seconds_left, threads) {
            (None, _) => Self::Unknown,
            (Some(seconds), 0) => Self::WithoutWorkers { seconds: seconds / cores() as f64, threads: cores() },
            (Some(seconds), threads) => Self::About { seconds: seconds / threads as f64 },
        }
    }
}

/// A part of a sentence: "about 12 min left". Empty if nothing is left.
impl fmt::Display for TimeLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rough = |seconds: &f64| rough_duration(Duration::from_secs_f64(*seconds));
        match self {
            Self::Nothing => Ok(()),
            Self::Unknown => f.write_str("time left unknown until a stage of each kind is done"),
            Self::WithoutWorkers { seconds, threads } => {
                write!(f, "no worker is running; about {} with {threads} threads", rough(seconds))
            }
            Self::About { seconds } => write!(f, "about {} left", rough(seconds)),
        }
    }
}
