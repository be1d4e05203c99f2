//! Errors in a sweep file: all are collected, each with its place in the text.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::Range;

use crate::text::counted;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One error in a sweep file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place.prefix())]
pub struct Problem {
    /// Place of the error: bytes of the file, or the `--set` argument.
    pub place: Place,
    /// Error message.
    pub message: String,
    /// How to correct the error.
    pub help: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the sweep file.
    File(Range<usize>),
    /// A `--set KEY=VALUE` argument, as typed.
    Flag(String),
    /// The file as a whole, e.g. if a table is missing.
    WholeFile,
}

impl Place {
    /// Returns the start of the message for a place that the text of the file cannot show.
    fn prefix(&self) -> String {
        match self {
            Self::File(_) | Self::WholeFile => String::new(),
            Self::Flag(argument) => format!("--set {argument}: "),
        }
    }
}

/// Largest number of problems that are kept. A list of 100,000 wrong values must not print 100,000 messages.
const MAX_KEPT: usize = 50;

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: RefCell<Vec<Problem>>,
    /// Whether more problems were found than kept.
    has_more: Cell<bool>,
}

impl Problems {
    /// Adds a problem, unless the same problem was already added.
    pub(crate) fn add(&self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        let problem = Problem { place: place.clone(), message: message.into(), help: help.into() };
        let mut kept = self.kept.borrow_mut();
        if kept.contains(&problem) {
            return;
        }
        match kept.len() < MAX_KEPT {
            true => kept.push(problem),
            false => self.has_more.set(true),
        }
    }

    /// Returns whether a problem was already added at this place.
    pub(crate) fn has_at(&self, place: &Place) -> bool {
        self.kept.borrow().iter().any(|problem| problem.place == *place)
    }

    /// Returns whether no problem was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.borrow().is_empty()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { kept: RefCell::new(vec![problem]), has_more: Cell::new(false) }
    }
}

/// A problem together with the text of the file.
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

/// All errors in a sweep file.
#[derive(Debug, thiserror::Error)]
#[error("{} in {}; nothing was started", self.number(), text.name())]
pub struct ConfigErrors {
    /// Text and name of the file.
    text: NamedSource<String>,
    /// At least one problem, sorted by place.
    problems: Vec<Problem>,
    /// Whether more problems were found.
    has_more: bool,
}

impl ConfigErrors {
    /// Creates the error for a file with this name and text.
    pub(crate) fn new(file: String, text: String, problems: Problems) -> Self {
        let (mut kept, has_more) = (problems.kept.into_inner(), problems.has_more.get());
        kept.sort_by_key(|problem| match &problem.place {
            Place::File(span) => (0, span.start),
            Place::Flag(_) => (1, 0),
            Place::WholeFile => (2, 0),
        });
        Self { text: NamedSource::new(file, text).with_language("TOML"), problems: kept, has_more }
    }

    /// Returns the problems in the order of the text.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.problems.iter().map(|problem| Located { problem, text: &self.text })
    }

    fn number(&self) -> String {
        match (self.problems.len(), self.has_more) {
            (shown, true) => format!("more than {shown} errors (the first {shown} are shown)"),
            (all, false) => counted(all, "error"),
        }
    }
}
