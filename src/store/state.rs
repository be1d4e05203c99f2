//! The states of a stage, a run and an attempt, with the data that belongs to each state.

use serde::Serialize;

use super::Published;

use super::row::{column, row};
use crate::evaluate::{ResultName, Selection};
use crate::names::named_enum;
use crate::stages::{Key, StageKind};

column!(AttemptState, FailureClass, RunState, Selection, StageKind, StageStatus);
column!(ResultName => |name| Ok::<_, std::convert::Infallible>(ResultName::from(name)));
column!(Key => |hex| Ok::<_, std::convert::Infallible>(Key::from_hex(hex.to_owned())));

named_enum! {
    /// Why a stage failed.
    pub enum FailureClass {
        /// Out of memory.
        Oom = "oom",
        /// The stage exceeded its time limit.
        Timeout = "timeout",
        /// The process was killed.
        Signal = "signal",
        /// Training diverged.
        Nan = "nan",
        /// Images, masks or weights are invalid.
        Data = "data",
        /// The database or the disk failed.
        Store = "store",
        /// A bug in didact.
        Bug = "bug",
    }
}

/// Retry policy after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The failure would happen again. Only `--retry-failed` retries the stage.
    Never,
    /// didact retries the stage after a pause.
    AfterPause,
    /// didact retries the stage after a pause, with half as many stages running on the host at the same time.
    WithFewerNeighbours,
}

impl FailureClass {
    /// Returns whether and how a stage is retried after a failure of this class.
    pub fn retry(self) -> Retry {
        match self {
            Self::Oom => Retry::WithFewerNeighbours,
            Self::Timeout | Self::Signal | Self::Store => Retry::AfterPause,
            Self::Nan | Self::Data | Self::Bug => Retry::Never,
        }
    }

    /// Returns whether the machine caused the failure, not the stage. Many such failures in a row mean that the worker is unusable.
    pub fn is_infrastructure(self) -> bool {
        self.retry() != Retry::Never
    }
}

/// Number of attempts without progress after which a stage has failed for good.
pub(super) const MAX_ATTEMPTS: i64 = 3;

/// Returns the pause in seconds after the `attempts`-th attempt: 0.5, 2, 8 …, at most 60.
pub(super) fn back_off(attempts: i64) -> f64 {
    (0.5 * 4.0_f64.powi(attempts.clamp(1, 8) as i32 - 1)).min(MAX_BACK_OFF)
}

/// Longest pause in seconds. A longer remaining pause means that the clock was set back.
pub(super) const MAX_BACK_OFF: f64 = 60.0;

named_enum! {
    /// State of a run. It follows from the states of its stages, except if a person or a search ended the run.
    pub enum RunState {
        /// No stage of the run is running.
        Pending = "pending",
        /// A stage of the run is running.
        Running = "running",
        /// All stages of the run are done.
        Done = "done",
        /// A stage of the run failed.
        Failed = "failed",
        /// The search stopped the run.
        Pruned = "pruned",
        /// A person cancelled the run.
        Cancelled = "cancelled",
    }
}

/// SQL of the state of a run `r` that people see. Running is not stored: a stage that starts would change every run that shares it.
pub(super) const SHOWN_STATE: &str = "CASE WHEN r.state = 'pending' AND r.id IN (
        SELECT rs.run_id FROM stages s JOIN run_stages rs ON rs.stage_id = s.id WHERE s.state = 'running') THEN 'running'
    ELSE r.state END";

impl RunState {
    /// Returns whether the run can still become done.
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Running => true,
            Self::Done | Self::Failed | Self::Pruned | Self::Cancelled => false,
        }
    }
}

named_enum! {
    /// State of a sweep. It follows from its runs and workers.
    pub enum SweepState {
        /// Workers exist.
        Running = "running",
        /// Runs are open, but no worker exists.
        Stopped = "stopped",
        /// No run is open, and some failed.
        Failed = "failed",
        /// No run is open, and a person cancelled some.
        Cancelled = "cancelled",
        /// All runs are done or pruned.
        Done = "done",
    }
}

impl SweepState {
    /// Returns the state of a sweep with these numbers of workers and of open, failed and cancelled runs.
    pub fn of(workers: i64, open: i64, failed: i64, cancelled: i64) -> Self {
        match () {
            () if workers > 0 => Self::Running,
            () if open > 0 => Self::Stopped,
            () if failed > 0 => Self::Failed,
            () if cancelled > 0 => Self::Cancelled,
            () => Self::Done,
        }
    }
}

named_enum! {
    /// Name of a stage's state, without its data; see [`StageState`].
    pub enum StageStatus {
        /// The stage waits for a worker.
        Pending = "pending",
        /// A worker holds the stage.
        Running = "running",
        /// The stage's artifact is published.
        Done = "done",
        /// The stage failed and is not retried automatically.
        Failed = "failed",
        /// A stage on which this one depends failed.
        Skipped = "skipped",
    }
}

named_enum! {
    /// State of an attempt.
    pub enum AttemptState {
        /// The attempt holds its stage.
        Running = "running",
        /// The attempt published the artifact.
        Done = "done",
        /// The attempt failed.
        Failed = "failed",
        /// The attempt was asked to stop and left a checkpoint.
        Interrupted = "interrupted",
        /// The process of the attempt no longer exists.
        Lost = "lost",
        /// Another attempt took over the stage.
        Superseded = "superseded",
    }
}

/// State of a stage, with its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum StageState {
    /// No worker holds the stage.
    Pending {
        /// Earliest time of the next claim (back-off).
        not_before: Option<String>,
        /// Failure of the last attempt, if it failed.
        after: Option<FailureReason>,
    },
    /// A worker holds the stage.
    Running {
        /// Id of the attempt that holds the lease (the fencing token).
        token: String,
        /// Time at which the lease ends unless it is renewed.
        lease_until: String,
    },
    /// The stage's artifact is published.
    Done {
        /// Time at which it finished.
        finished_at: Option<String>,
    },
    /// The stage failed and is not retried automatically.
    Failed(FailureReason),
    /// A stage on which this one depends failed.
    Skipped {
        /// Which stage failed, and why.
        reason: String,
    },
}

/// Class and reason of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureReason {
    /// Failure class.
    pub class: FailureClass,
    /// Reason, as text.
    pub reason: String,
}

row! {
    /// The columns of a stage that determine its state.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(super) struct StageColumns {
        pub state: StageStatus,
        pub failure_class: Option<FailureClass>,
        pub reason: Option<String>,
        pub token: Option<String>,
        pub lease_until: Option<String>,
        pub not_before: Option<String>,
        pub finished_at: Option<String>,
    }
}

impl From<StageColumns> for StageState {
    fn from(row: StageColumns) -> Self {
        let class = row.failure_class;
        let reason = row.reason.clone().unwrap_or_default();
        match row.state {
            StageStatus::Running => {
                Self::Running { token: row.token.unwrap_or_default(), lease_until: row.lease_until.unwrap_or_default() }
            }
            StageStatus::Done => Self::Done { finished_at: row.finished_at },
            StageStatus::Failed => Self::Failed(FailureReason { class: class.unwrap_or(FailureClass::Bug), reason }),
            StageStatus::Skipped => Self::Skipped { reason },
            StageStatus::Pending => {
                Self::Pending { not_before: row.not_before, after: class.map(|class| FailureReason { class, reason }) }
            }
        }
    }
}

impl StageState {
    /// Returns the name of the state.
    pub fn status(&self) -> StageStatus {
        match self {
            Self::Pending { .. } => StageStatus::Pending,
            Self::Running { .. } => StageStatus::Running,
            Self::Done { .. } => StageStatus::Done,
            Self::Failed(_) => StageStatus::Failed,
            Self::Skipped { .. } => StageStatus::Skipped,
        }
    }

    /// Returns the details that a person should see next to the name.
    pub fn remark(&self) -> String {
        match self {
            Self::Pending { not_before, after } => {
                let after = after.as_ref().map(|failed| format!("after {}: {}", failed.class.name(), failed.reason));
                let wait = not_before.as_ref().map(|time| format!("not before {time}"));
                after.into_iter().chain(wait).collect::<Vec<_>>().join("; ")
            }
            Self::Running { lease_until, .. } => format!("lease until {lease_until}"),
            Self::Done { finished_at } => finished_at.clone().unwrap_or_default(),
            Self::Failed(failed) => format!("{}: {}", failed.class.name(), failed.reason),
            Self::Skipped { reason } => reason.clone(),
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The artifact is published.
    Done(Published),
    /// The attempt failed.
    Failed {
        /// Failure class.
        class: FailureClass,
        /// Reason, as text.
        reason: String,
    },
    /// The attempt was asked to stop and left a checkpoint.
    Interrupted,
}

impl AttemptEnd {
    /// Returns the end of a failed attempt.
    pub fn failed(class: FailureClass, reason: String) -> Self {
        Self::Failed { class, reason }
    }

    /// Returns the attempt's state in the store. `ours` says whether the attempt still held its stage.
    pub fn attempt_state(&self, ours: bool) -> AttemptState {
        match self {
            _ if !ours => AttemptState::Superseded,
            Self::Done(_) => AttemptState::Done,
            Self::Failed { .. } => AttemptState::Failed,
            Self::Interrupted => AttemptState::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_retried_by_their_class() {
        let never: Vec<_> = FailureClass::ALL
            .into_iter()
            .filter(|class| class.retry() == Retry::Never)
            .map(FailureClass::name)
            .collect();
        assert_eq!(never, ["nan", "data", "bug"]);
        assert_eq!(FailureClass::Oom.retry(), Retry::WithFewerNeighbours);
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let pauses: Vec<f64> = (1..6).map(back_off).collect();
        assert_eq!(pauses, [0.5, 2.0, 8.0, 32.0, 60.0]);
    }
}
