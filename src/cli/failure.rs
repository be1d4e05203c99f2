//! Failures of the verbs, and the exit code of each.

use crate::analysis::Incomparable;
use crate::cause::{Cause, Context};
use crate::config::ConfigErrors;
use crate::data::DataError;
use crate::exit::Exit;
use crate::export::ExportError;
use crate::model::weights::{FetchError, WeightError};
use crate::outputs::OutputError;
use crate::plan::PlanError;
use crate::predict::PredictError;
use crate::published::PublishedError;
use crate::report::ReportError;
use crate::schedule::DeviceError;
use crate::store::StoreError;
use crate::training::StageError;

/// An error that is shown to the user.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// The sweep file is invalid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The published table that a sweep names cannot be used.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Runs cannot be compared.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// The data set cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The teacher's weights cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// Published weights cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A sweep cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store cannot be used, or does not contain what was asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Numbers cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Images cannot be scored.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// Files cannot be written to the requested folder.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Standard output, or a single file, cannot be written.
    #[error(transparent)]
    Unwritten(#[from] Context),
    /// Networks cannot be trained or measured.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The requested GPU cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The machine lacks what the command needs: a GPU, threads or another process.
    #[error("{0}")]
    Machine(#[source] Cause),
    /// A worker stopped because its last attempts had transient failures, such as out of memory or a full disk.
    #[error("{0}")]
    Stopped(String),
    /// A worker refused a stage: another version of didact planned the sweep.
    #[error("{0}")]
    Refused(String),
    /// A failure with a hint.
    #[error("{failure}{hint}")]
    WithHint {
        /// Original failure.
        #[source]
        failure: Box<Self>,
        /// Text after the failure's message, with its separator: "; name another file".
        hint: String,
    },
}

impl Failure {
    /// Creates the failure for a command line that asks for something impossible.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Creates the failure for a live view that this executable does not have. `instead` is what the user can do instead.
    #[cfg(not(feature = "live"))]
    pub(super) fn without_live_views(instead: &str) -> Self {
        Self::usage(format!(
            "this didact was built without live views: run `cargo install --path . --features live` to add them, or {instead}"
        ))
    }

    /// Adds a hint after the message.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self::WithHint { failure: Box::new(self), hint: hint.into() }
    }

    /// Returns the exit code. The match is exhaustive, so a new error does not compile without a code.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::WithHint { failure, .. } => failure.exit(),
            Self::Usage(_)
            | Self::Config(_)
            | Self::Published(_)
            | Self::Incomparable(_)
            | Self::Fetch(FetchError::Url(_) | FetchError::NoHash(_))
            | Self::Plan(PlanError::TooMany { .. })
            | Self::Report(ReportError::Published(_))
            | Self::Predict(PredictError::NotDone { .. } | PredictError::NoThreshold { .. }) => Exit::Usage,
            Self::Data(_)
            | Self::Weights(_)
            | Self::Fetch(
                FetchError::Occupied { .. }
                | FetchError::Status { .. }
                | FetchError::Connection { .. }
                | FetchError::Incomplete { .. }
                | FetchError::TooLarge { .. }
                | FetchError::Hash { .. },
            )
            | Self::Plan(PlanError::Data(_) | PlanError::Weights(_))
            | Self::Predict(PredictError::NoImage { .. } | PredictError::Data(_)) => Exit::Data,
            Self::Fetch(FetchError::Busy(_) | FetchError::Write { .. })
            | Self::Export(ExportError::Write(_))
            | Self::Report(ReportError::Output(_) | ReportError::Encode(_))
            | Self::Predict(PredictError::Missing { .. } | PredictError::Damaged { .. } | PredictError::Write(_))
            | Self::Output(_)
            | Self::Unwritten(_)
            | Self::Device(_)
            | Self::Machine(_)
            | Self::Refused(_) => Exit::Store,
            Self::Report(ReportError::Draw { .. }) | Self::Stopped(_) => Exit::RunsFailed,
            Self::Store(error)
            | Self::Export(ExportError::Store(error))
            | Self::Predict(PredictError::Store(error)) => store_exit(error),
            Self::Stage(error) | Self::Predict(PredictError::Stage(error)) => stage_exit(error),
        }
    }
}

#[cfg(feature = "live")]
impl From<crate::serve::ServeError> for Failure {
    fn from(error: crate::serve::ServeError) -> Self {
        match error {
            crate::serve::ServeError::Store(error) => error.into(),
            crate::serve::ServeError::Server(error) => error.into(),
            error @ crate::serve::ServeError::Listen { .. } => Self::usage(error.to_string()),
        }
    }
}

#[cfg(feature = "live")]
impl From<crate::serve::WatchError> for Failure {
    fn from(error: crate::serve::WatchError) -> Self {
        match error {
            crate::serve::WatchError::Store(error) => error.into(),
            crate::serve::WatchError::Terminal(error) => error.into(),
        }
    }
}

/// Returns the exit code of a store's error. Unknown names and refused changes are usage errors.
fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::NoSweep { .. }
        | StoreError::NoId { .. }
        | StoreError::Ambiguous { .. }
        | StoreError::AmbiguousTrial { .. }
        | StoreError::NoTrial { .. }
        | StoreError::OtherFile { .. }
        | StoreError::NameTaken { .. }
        | StoreError::NoTag { .. }
        | StoreError::TooManyTags { .. }
        | StoreError::SameStore { .. }
        | StoreError::NoArtifacts
        | StoreError::ObjectStore { .. }
        | StoreError::Running { .. } => Exit::Usage,
        StoreError::Open { .. }
        | StoreError::Absent { .. }
        | StoreError::NoPostgres
        | StoreError::NoObjectStore
        | StoreError::Server { .. }
        | StoreError::OnServer { .. }
        | StoreError::Newer { .. }
        | StoreError::Earlier { .. }
        | StoreError::OtherVersion { .. }
        | StoreError::Replaced { .. }
        | StoreError::Replanned
        | StoreError::Foreign { .. }
        | StoreError::Exists { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::Backup { .. }
        | StoreError::OtherOwner { .. }
        | StoreError::Sql(_)
        | StoreError::Artifact { .. }
        | StoreError::Row(_) => Exit::Store,
    }
}

fn stage_exit(error: &StageError) -> Exit {
    match error {
        StageError::Data(_) => Exit::Data,
        StageError::Artifact(_) => Exit::Store,
        StageError::Interrupted => Exit::Interrupted,
        StageError::Diverged { .. } | StageError::OutOfMemory(_) | StageError::DeviceLost(_) | StageError::Bug(_) => {
            Exit::RunsFailed
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_hint_follows_the_message_and_changes_neither_code_nor_cause() {
        let error = Context::new("cannot write a.csv", "no space left");
        let failure = Failure::from(error).with_hint("; name another file");
        assert_eq!(failure.to_string(), "cannot write a.csv: no space left; name another file");
        assert_eq!(failure.exit(), Exit::Store);
        assert!(failure.source().and_then(Error::source).is_some());
    }

    #[test]
    fn a_missing_gpu_is_not_a_usage_error() {
        assert_eq!(Failure::from(DeviceError::NoGpu("no driver".to_owned())).exit(), Exit::Store);
        assert_eq!(Failure::usage("--device gpu").exit(), Exit::Usage);
    }
}
