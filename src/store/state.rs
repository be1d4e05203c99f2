//! What a stage, a run and an attempt can be, with the data that belongs to each state.

use serde::Serialize;

use super::Published;

use super::row::{column, row};
use crate::evaluate::{ResultName, Selection};
use crate::names::named_enum;
use crate::stages::StageKind;

column!(AttemptState, FailureClass, RunState, Selection, StageKind, StageStatus);
column!(ResultName => |name| Ok::<_, std::convert::Infallible>(ResultName::from(name)));

named_enum! {
    /// Why a stage failed.
    pub enum FailureClass {
        /// Memory ran out.
        Oom = "oom",
        /// It took too long.
        Timeout = "timeout",
        /// Its process was killed.
        Signal = "signal",
        /// Training diverged.
        Nan = "nan",
        /// Images, masks or weights are wrong.
        Data = "data",
        /// Database or disk.
        Store = "store",
        /// A fault of didact itself.
        Bug = "bug",
    }
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same would happen again: only `--retry-failed` tries once more.
    Never,
    /// Tried again after a pause.
    AfterPause,
    /// Tried again after a pause, with half the stages beside it on its host.
    WithFewerNeighbours,
}

impl FailureClass {
    /// Whether another attempt may succeed where this one failed, and how.
    pub fn retry(self) -> Retry {
        match self {
            Self::Oom => Retry::WithFewerNeighbours,
            Self::Timeout | Self::Signal | Self::Store => Retry::AfterPause,
            Self::Nan | Self::Data | Self::Bug => Retry::Never,
        }
    }

    /// Whether the machine rather than the stage is to blame: many of these in a row mean a bad worker.
    pub fn is_infrastructure(self) -> bool {
        self.retry() != Retry::Never
    }
}

/// Attempts without progress after which a failure counts as lasting.
pub(super) const MAX_ATTEMPTS: i64 = 3;

/// Seconds before the attempt after the `attempts`-th: half a second, two, eight …, at most a minute.
pub(super) fn back_off(attempts: i64) -> f64 {
    (0.5 * 4.0_f64.powi(attempts.clamp(1, 8) as i32 - 1)).min(MAX_BACK_OFF)
}

/// The longest pause, seconds. A stage that waits longer does so because the clock was set back.
pub(super) const MAX_BACK_OFF: f64 = 60.0;

named_enum! {
    /// What a run can be. It follows from its stages, but for what a person or a search decided.
    pub enum RunState {
        /// No stage of it runs.
        Pending = "pending",
        /// One of its stages runs.
        Running = "running",
        /// All its stages are done.
        Done = "done",
        /// One of its stages failed.
        Failed = "failed",
        /// The search stopped it.
        Pruned = "pruned",
        /// A person cancelled it.
        Cancelled = "cancelled",
    }
}

impl RunState {
    /// Whether it may still be done.
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Running => true,
            Self::Done | Self::Failed | Self::Pruned | Self::Cancelled => false,
        }
    }
}

named_enum! {
    /// The name of a stage's state, without its data: see [`StageState`].
    pub enum StageStatus {
        /// It waits for a worker.
        Pending = "pending",
        /// A worker holds it.
        Running = "running",
        /// Its artifact is in place.
        Done = "done",
        /// It is not retried by itself.
        Failed = "failed",
        /// A stage that it needs failed.
        Skipped = "skipped",
    }
}

named_enum! {
    /// What an attempt can be.
    pub enum AttemptState {
        /// It holds its stage.
        Running = "running",
        /// It published the artifact.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// It was asked to stop and left a checkpoint.
        Interrupted = "interrupted",
        /// Its process is gone.
        Lost = "lost",
        /// Another attempt took its stage.
        Superseded = "superseded",
    }
}

/// Where a stage stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum StageState {
    /// Nobody works on it.
    Pending {
        /// Back-off: claimed no earlier than this.
        not_before: Option<String>,
        /// How the last attempt ended, if one did.
        after: Option<Failed>,
    },
    /// Somebody holds it.
    Running {
        /// The attempt that holds the lease: the fencing token.
        token: String,
        /// When the lease ends unless renewed.
        lease_until: String,
    },
    /// Its artifact is in place.
    Done {
        /// When.
        finished_at: Option<String>,
    },
    /// It will not be tried again by itself.
    Failed(Failed),
    /// A stage that it needs failed.
    Skipped {
        /// Which, and why.
        reason: String,
    },
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Coarsely.
    pub class: FailureClass,
    /// In words.
    pub reason: String,
}

row! {
    /// The columns of a stage that make its state.
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
            StageStatus::Failed => Self::Failed(Failed { class: class.unwrap_or(FailureClass::Bug), reason }),
            StageStatus::Skipped => Self::Skipped { reason },
            StageStatus::Pending => {
                Self::Pending { not_before: row.not_before, after: class.map(|class| Failed { class, reason }) }
            }
        }
    }
}

impl StageState {
    /// Its name.
    pub fn status(&self) -> StageStatus {
        match self {
            Self::Pending { .. } => StageStatus::Pending,
            Self::Running { .. } => StageStatus::Running,
            Self::Done { .. } => StageStatus::Done,
            Self::Failed(_) => StageStatus::Failed,
            Self::Skipped { .. } => StageStatus::Skipped,
        }
    }

    /// What a person should know beside the name.
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
    /// Its artifact is in place.
    Done(Published),
    /// It failed.
    Failed {
        /// Why, coarsely.
        class: FailureClass,
        /// Why, for people.
        reason: String,
    },
    /// It was asked to stop and left a checkpoint.
    Interrupted,
}

impl AttemptEnd {
    /// A failure.
    pub fn failed(class: FailureClass, reason: String) -> Self {
        Self::Failed { class, reason }
    }

    /// The attempt's state in the store; `ours`: whether it still held its stage.
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
