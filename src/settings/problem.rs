//! What is wrong with a sweep file, all at once, each with its place in the text.

use std::cell::{Cell, RefCell};
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

/// How many problems are kept: a list of 100,000 wrong values needs no 100,000 messages.
const MOST_KEPT: usize = 50;

/// The problems found so far, and whether there are more.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: RefCell<Vec<Problem>>,
    more: Cell<bool>,
}

impl Problems {
    /// Adds a problem, unless it is known.
    pub(crate) fn add(&self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        let problem = Problem { place: place.clone(), message: message.into(), help: help.into() };
        let mut kept = self.kept.borrow_mut();
        if kept.contains(&problem) {
            return;
        }
        match kept.len() < MOST_KEPT {
            true => kept.push(problem),
            false => self.more.set(true),
        }
    }

    /// Whether something is wrong at a place already.
    pub(crate) fn has_at(&self, place: &Place) -> bool {
        self.kept.borrow().iter().any(|problem| problem.place == *place)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.borrow().is_empty()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { kept: RefCell::new(vec![problem]), more: Cell::new(false) }
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
#[error("{} in {}; nothing was started", self.counted(), text.name())]
pub struct ConfigErrors {
    /// The file with its name.
    text: NamedSource<String>,
    /// At least one problem, in the order of their places.
    problems: Vec<Problem>,
    /// Whether there are more than these.
    more: bool,
}

impl ConfigErrors {
    /// The problems of a file with the given name and text.
    pub(crate) fn new(file: String, text: String, problems: Problems) -> Self {
        let (mut kept, more) = (problems.kept.into_inner(), problems.more.get());
        kept.sort_by_key(|problem| match &problem.place {
            Place::File(span) => (0, span.start),
            Place::Flag(_) => (1, 0),
            Place::Whole => (2, 0),
        });
        Self { text: NamedSource::new(file, text).with_language("TOML"), problems: kept, more }
    }

    /// What is wrong, in the order of the text.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.problems.iter().map(|problem| Located { problem, text: &self.text })
    }

    fn counted(&self) -> String {
        match (self.problems.len(), self.more) {
            (shown, true) => format!("more than {shown} errors (the first {shown} are shown)"),
            (1, false) => "1 error".to_owned(),
            (all, false) => format!("{all} errors"),
        }
    }
}
