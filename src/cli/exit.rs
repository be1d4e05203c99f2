//! Exit codes, and which error has which.

use std::process::ExitCode;

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::output::one_line;
use crate::config::ConfigErrors;
use crate::data::DataError;
use crate::export::ExportError;
use crate::model::weights::WeightError;
use crate::outputs::OutputError;
use crate::plan::PlanError;
use crate::predict::PredictError;
use crate::published::PublishedError;
use crate::report::ReportError;
use crate::store::StoreError;
use crate::terminal;
use crate::training::StageError;

/// What the shell learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All done.
    Done = 0,
    /// Some runs failed.
    RunsFailed = 1,
    /// Bad command line or sweep file.
    Usage = 2,
    /// Bad data or weights.
    Data = 3,
    /// The store.
    Store = 4,
    /// Interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// What a command of ours that this one has started says; one that was killed has not done what it should.
    pub(super) fn of_code(code: Option<i32>) -> Self {
        let all = [Self::Done, Self::Usage, Self::Data, Self::Store, Self::Interrupted];
        all.into_iter().find(|exit| Some(*exit as i32) == code).unwrap_or(Self::RunsFailed)
    }
}

/// An error on its way to the person, with its exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

macro_rules! exits {
    ($($error:ty => $exit:ident),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(Exit::$exit, one_line(&error.to_string()))
            }
        })*
    };
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        let handler = GraphicalReportHandler::new_themed(theme()).with_width(110);
        let mut message = format!("{errors}\n");
        for problem in errors.located() {
            message.push('\n');
            // A `String` takes whatever is written to it.
            let _ = handler.render_report(&mut message, &problem);
        }
        Self { exit: Exit::Usage, message: message.trim_end().to_owned() }
    }
}

/// Colours on a terminal that has them, the same shapes without elsewhere.
fn theme() -> GraphicalTheme {
    match terminal::has_colours(&std::io::stderr()) {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    }
}

exits!(DataError => Data, WeightError => Data, OutputError => Store, PublishedError => Usage);

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let exit = if matches!(error, PlanError::TooMany { .. }) { Exit::Usage } else { Exit::Data };
        Self::new(exit, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoSweep { .. }
            | StoreError::NoId { .. }
            | StoreError::Ambiguous { .. }
            | StoreError::AmbiguousTrial { .. }
            | StoreError::NoTrial { .. }
            | StoreError::OtherFile { .. }
            | StoreError::NameTaken { .. }
            | StoreError::Running { .. } => Exit::Usage,
            _ => Exit::Store,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Write(error) => Self::new(Exit::Store, error.to_string()),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let exit = match &error {
            ReportError::Published(_) => Exit::Usage,
            ReportError::Draw { .. } => Exit::RunsFailed,
            ReportError::Output(_) | ReportError::Encode(_) => Exit::Store,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        let exit = match &error {
            PredictError::NotDone { .. } => Exit::Usage,
            PredictError::NoImage { .. } | PredictError::Stage(StageError::Data(_)) => Exit::Data,
            PredictError::Gone { .. }
            | PredictError::Damaged { .. }
            | PredictError::Stage(StageError::Artifact(_))
            | PredictError::Write(_) => Exit::Store,
            PredictError::Stage(_) => Exit::RunsFailed,
        };
        Self::new(exit, error.to_string())
    }
}
