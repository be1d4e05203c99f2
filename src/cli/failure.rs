//! What a verb can fail with, and the exit code of each failure.

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

/// An error on its way to the person.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command line asks for what is not possible.
    #[error("{0}")]
    Usage(String),
    /// The sweep file.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The published table that a sweep names.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Runs cannot be compared.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The teacher's weights.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// Published weights.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A sweep cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Numbers cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A prediction.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// Files cannot be written where they were asked for.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Standard output, or a single file, cannot be written.
    #[error(transparent)]
    Unwritten(#[from] Context),
    /// Networks cannot be trained or measured.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The GPU that was asked for is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The machine refuses what the command needs: a GPU of this process, threads, another process.
    #[error("{0}")]
    Machine(#[source] Cause),
    /// A worker stopped: its last attempts failed for reasons of the machine.
    #[error("{0}")]
    Stopped(String),
    /// A worker refused a stage: another version of didact planned the sweep.
    #[error("{0}")]
    Refused(String),
    /// A failure, with what can be done.
    #[error("{failure}{advice}")]
    Advised {
        /// Which.
        #[source]
        failure: Box<Self>,
        /// "; what can be done".
        advice: String,
    },
}

impl Failure {
    /// The command line asks for what is not possible.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The same failure, with what can be done behind its message.
    pub(super) fn advised(self, advice: impl Into<String>) -> Self {
        Self::Advised { failure: Box::new(self), advice: advice.into() }
    }

    /// The exit code of each failure. A new kind of error does not compile before it is given one.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Advised { failure, .. } => failure.exit(),
            Self::Usage(_)
            | Self::Config(_)
            | Self::Published(_)
            | Self::Incomparable(_)
            | Self::Fetch(FetchError::Url(_) | FetchError::NoHash(_))
            | Self::Plan(PlanError::TooMany { .. })
            | Self::Report(ReportError::Published(_))
            | Self::Predict(PredictError::NotDone { .. }) => Exit::Usage,
            Self::Data(_)
            | Self::Weights(_)
            | Self::Fetch(
                FetchError::Occupied { .. }
                | FetchError::Status { .. }
                | FetchError::Connection { .. }
                | FetchError::Cut { .. }
                | FetchError::TooLarge { .. }
                | FetchError::Hash { .. },
            )
            | Self::Plan(PlanError::Data(_) | PlanError::Weights(_))
            | Self::Predict(PredictError::NoImage { .. }) => Exit::Data,
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
            Self::Store(error) | Self::Export(ExportError::Store(error)) => of_store(error),
            Self::Stage(error) | Self::Predict(PredictError::Stage(error)) => of_stage(error),
        }
    }
}

/// Names that the store does not have, and changes that it refuses, are the command line's; the rest is the store's.
fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::NoSweep { .. }
        | StoreError::NoId { .. }
        | StoreError::Ambiguous { .. }
        | StoreError::AmbiguousTrial { .. }
        | StoreError::NoTrial { .. }
        | StoreError::OtherFile { .. }
        | StoreError::NameTaken { .. }
        | StoreError::Running { .. } => Exit::Usage,
        StoreError::Open { .. }
        | StoreError::Absent { .. }
        | StoreError::Newer { .. }
        | StoreError::Earlier { .. }
        | StoreError::OtherVersion { .. }
        | StoreError::Replaced { .. }
        | StoreError::Replanned
        | StoreError::Foreign { .. }
        | StoreError::Exists { .. }
        | StoreError::Backup { .. }
        | StoreError::NotOurs { .. }
        | StoreError::Sql(_)
        | StoreError::Artifact { .. }
        | StoreError::Row(_) => Exit::Store,
    }
}

fn of_stage(error: &StageError) -> Exit {
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
    fn advice_stands_behind_the_message_and_changes_neither_code_nor_cause() {
        let error = Context::new("cannot write a.csv", "no space left");
        let failure = Failure::from(error).advised("; name another file");
        assert_eq!(failure.to_string(), "cannot write a.csv: no space left; name another file");
        assert_eq!(failure.exit(), Exit::Store);
        assert!(failure.source().and_then(Error::source).is_some());
    }

    #[test]
    fn a_missing_gpu_is_no_misuse_of_the_command_line() {
        assert_eq!(Failure::from(DeviceError::NotInstalled).exit(), Exit::Store);
        assert_eq!(Failure::usage("--device gpu").exit(), Exit::Usage);
    }
}
