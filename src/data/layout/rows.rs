//! Reads a table of images as text: rows with named columns, each with its line number.

use std::path::{Path, PathBuf};

use crate::cause::Cause;
use crate::data::DataError;

/// Largest table that didact reads, bytes: ten million rows of a hundred bytes.
const LARGEST: u64 = 1_000_000_000;

/// One row: the texts of the requested columns, and its line number.
#[derive(Debug)]
pub(super) struct Row {
    line: u64,
    texts: Vec<String>,
}

impl Row {
    /// Returns the text of a column by its position among the requested ones; the text is empty if the table does not have the column.
    pub(super) fn text(&self, column: usize) -> &str {
        &self.texts[column]
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

/// A table with all its rows.
#[derive(Debug)]
pub(super) struct Rows {
    /// Path of the table.
    pub path: PathBuf,
    columns: Vec<&'static str>,
    /// Whether the table has each requested column.
    pub has: Vec<bool>,
    /// Names of columns that were not requested.
    pub unknown: Vec<String>,
    /// Rows in the order of the file.
    pub rows: Vec<Row>,
}

impl Rows {
    /// Reads the needed and the optional columns of a table, in any order.
    pub(super) fn read(path: &Path, needed: &[&'static str], optional: &[&'static str]) -> Result<Self, DataError> {
        let io = |source| DataError::Io { path: path.to_owned(), source };
        let wrong = |line: u64, column: &'static str, source: Cause, help: String| DataError::Table {
            path: path.to_owned(),
            line,
            column,
            source,
            help,
        };
        let torn = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            wrong(line, "all", error.into(), "a table in UTF-8, separated by commas".to_owned())
        };
        let size = std::fs::metadata(path).map_err(io)?.len();
        if size > LARGEST {
            let what = format!("it has {size} bytes");
            return Err(wrong(1, "all", what.into(), format!("a table of at most {LARGEST} bytes")));
        }
        let mut reader = csv::Reader::from_path(path).map_err(torn)?;
        let header = reader.headers().map_err(torn)?.clone();
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
        let columns: Vec<&'static str> = needed.iter().chain(optional).copied().collect();
        let positions: Vec<Option<usize>> =
            columns.iter().map(|column| names.iter().position(|name| name == column)).collect();
        for (column, position) in columns.iter().zip(&positions) {
            if position.is_none() && needed.contains(column) {
                let help = format!("the columns {}", columns.join(", "));
                return Err(wrong(1, column, "there is no such column".into(), help));
            }
            if names.iter().filter(|name| *name == column).count() > 1 {
                return Err(wrong(1, column, "it occurs twice".into(), "each column once".to_owned()));
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(torn)?;
            let line = record.position().map_or(1, csv::Position::line);
            let text =
                |position: &Option<usize>| position.and_then(|at| record.get(at)).unwrap_or_default().trim().to_owned();
            rows.push(Row { line, texts: positions.iter().map(text).collect() });
        }
        let unknown = names.iter().filter(|name| !columns.contains(name)).map(|name| (*name).to_owned()).collect();
        let has = positions.iter().map(Option::is_some).collect();
        Ok(Self { path: path.to_owned(), columns, has, unknown, rows })
    }

    /// Returns the error for an invalid text in a row.
    pub(super) fn wrong(&self, row: &Row, column: usize, message: String, help: &str) -> DataError {
        let (path, column) = (self.path.clone(), self.columns[column]);
        DataError::Table { path, line: row.line, column, source: message.into(), help: help.to_owned() }
    }
}
