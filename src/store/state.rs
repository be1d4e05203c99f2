//! What a stage, a run and an attempt can be, with the data that belongs to each state.

use serde::Serialize;

use super::Published;

use super::row::row;

/// Why a stage failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// Memory ran out.
    Oom,
    /// It took too long.
    Timeout,
    /// Its process was killed.
    Signal,
    /// Training diverged.
    Nan,
    /// Images, masks or weights are wrong.
    Data,
    /// Database or disk.
    Store,
    /// didact's own fault.
    Bug,
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
    /// All classes.
    pub const ALL: [Self; 7] = [Self::Oom, Self::Timeout, Self::Signal, Self::Nan, Self::Data, Self::Store, Self::Bug];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oom => "oom",
            Self::Timeout => "timeout",
            Self::Signal => "signal",
            Self::Nan => "nan",
            Self::Data => "data",
            Self::Store => "store",
            Self::Bug => "bug",
        }
    }

    /// The class of a name in the store.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

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
        pub state: String,
        pub failure_class: Option<String>,
        pub reason: Option<String>,
        pub token: Option<String>,
        pub lease_until: Option<String>,
        pub not_before: Option<String>,
        pub finished_at: Option<String>,
    }
}

impl From<StageColumns> for StageState {
    fn from(row: StageColumns) -> Self {
        let class = row.failure_class.as_deref().and_then(FailureClass::named);
        let reason = row.reason.clone().unwrap_or_default();
        match row.state.as_str() {
            "running" => {
                Self::Running { token: row.token.unwrap_or_default(), lease_until: row.lease_until.unwrap_or_default() }
            }
            "done" => Self::Done { finished_at: row.finished_at },
            "failed" => Self::Failed(Failed { class: class.unwrap_or(FailureClass::Bug), reason }),
            "skipped" => Self::Skipped { reason },
            _ => Self::Pending { not_before: row.not_before, after: class.map(|class| Failed { class, reason }) },
        }
    }
}

impl StageState {
    /// The name in the store.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Running { .. } => "running",
            Self::Done { .. } => "done",
            Self::Failed(_) => "failed",
            Self::Skipped { .. } => "skipped",
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
    pub fn attempt_state(&self, ours: bool) -> &'static str {
        match self {
            _ if !ours => "superseded",
            Self::Done(_) => "done",
            Self::Failed { .. } => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_known_by_name_and_retried_as_the_design_says() {
        for class in FailureClass::ALL {
            assert_eq!(FailureClass::named(class.name()), Some(class));
        }
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
