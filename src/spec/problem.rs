//! What is wrong with a sweep file, all at once.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Everything that is wrong with a sweep file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecErrors {
    /// The file's name.
    pub file: String,
    /// Its text.
    pub source: String,
    /// At least one problem, in the order of their places.
    pub problems: Vec<Problem>,
}

impl std::error::Error for SpecErrors {}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.show(problem, f)?;
        }
        let count = self.problems.len();
        write!(f, "\n{count} {} in {}; nothing was started", if count == 1 { "error" } else { "errors" }, self.file)
    }
}

impl SpecErrors {
    fn show(&self, problem: &Problem, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &problem.place {
            Place::File(span) => {
                let (line, column, text) = locate(&self.source, span.start);
                let gutter = line.to_string();
                let pad = " ".repeat(gutter.len());
                // The mark counts characters, as the column does.
                let length =
                    self.source.get(span.clone()).map_or(1, |t| t.lines().next().unwrap_or("").chars().count());
                let mark = "^".repeat(length.clamp(1, text.chars().count().saturating_sub(column - 1).max(1)));
                writeln!(f, "{}:{line}:{column}: {}", self.file, problem.message)?;
                writeln!(f, " {gutter} | {text}")?;
                writeln!(f, " {pad} | {}{mark}", " ".repeat(column - 1))?;
                writeln!(f, " {pad} = {}", problem.help)
            }
            Place::Flag(argument) => {
                writeln!(f, "--set {argument}: {}", problem.message)?;
                writeln!(f, "   = {}", problem.help)
            }
            Place::Whole => {
                writeln!(f, "{}: {}", self.file, problem.message)?;
                writeln!(f, "   = {}", problem.help)
            }
        }
    }
}

/// Line and column from 1, and the line's text.
fn locate(source: &str, offset: usize) -> (usize, usize, &str) {
    let offset = (0..=offset.min(source.len())).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
    let start = source[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = source[..start].matches('\n').count() + 1;
    let text = source[start..].lines().next().unwrap_or("");
    (line, source[start..offset].chars().count() + 1, text)
}
