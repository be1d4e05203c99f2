//! What is wrong with a sweep file, all at once, each with its place in the text.

use std::fmt::Display;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place.prefix())]
pub struct Problem {
    /// Where: bytes of the file, or the `--set` argument.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the sweep file.
    File(Range<usize>),
    /// A `--set KEY=VALUE` argument, as typed.
    Flag(String),
    /// Nowhere: something is missing altogether.
    Whole,
}

impl Place {
    /// What must be said before the message, for the text of the file cannot show it.
    fn prefix(&self) -> String {
        match self {
            Self::File(_) | Self::Whole => String::new(),
            Self::Flag(argument) => format!("--set {argument}: "),
        }
    }
}

/// A problem with the text that shows its place.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Located<'a> {
    problem: &'a Problem,
    text: &'a NamedSource<String>,
}

impl Diagnostic for Located<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(&self.problem.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let Place::File(span) = &self.problem.place else { return None };
        Some(Box::new(std::iter::once(LabeledSpan::underline(span.clone()))))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.text)
    }
}

/// Everything that is wrong with a sweep file.
#[derive(Debug, thiserror::Error)]
#[error("{} in {file}; nothing was started", counted(problems.len()))]
pub struct SpecErrors {
    /// The file's name.
    file: String,
    text: NamedSource<String>,
    /// At least one problem, in the order of their places.
    problems: Vec<Problem>,
}

fn counted(problems: usize) -> String {
    if problems == 1 { "1 error".to_owned() } else { format!("{problems} errors") }
}

impl SpecErrors {
    /// The problems of a file with the given name and text.
    pub(super) fn new(file: String, text: String, problems: Vec<Problem>) -> Self {
        Self { text: NamedSource::new(&file, text).with_language("TOML"), file, problems }
    }

    /// What is wrong, in the order of the text.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.problems.iter().map(|problem| Located { problem, text: &self.text })
    }
}
