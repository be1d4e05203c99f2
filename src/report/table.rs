//! Defines a table: its cells have a text for people and the exact values behind it. Each submodule writes tables in one format.

pub(super) mod csv;
pub(super) mod html;
pub(super) mod latex;
pub(super) mod markdown;
#[cfg(test)]
mod tests;

use crate::export::Value;
use crate::statistics::Summary;
use crate::text::signed;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// File name without extension.
    pub name: String,
    /// What the table shows.
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<TableRow>,
    /// What the remarks below the cells mean; shown where the remarks are shown.
    pub remarks: Option<&'static str>,
    /// What a reader must know about the table.
    pub notes: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Heading for people, with a line break if it has two parts.
    pub heading: String,
    pub style: Style,
    /// Names of the values behind each cell.
    pub fields: Vec<String>,
}

/// How the cells of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Right-aligned.
    Number,
    /// Left-aligned, on one line.
    Label,
    /// Left-aligned, on as many lines as needed.
    Prose,
}

/// A row: one cell per column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TableRow {
    pub cells: Vec<Cell>,
    /// Whether this is the row of the re-run baseline.
    pub baseline: bool,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cell {
    /// Text for people.
    pub text: String,
    /// Values for programs: one per field of the column; missing values are absent.
    pub values: Vec<Value<'static>>,
    /// Whether the tests support that this cell is the best of its column.
    pub best: bool,
    pub tone: Tone,
    /// Remarks below the cell, in formats that have room for them.
    pub remarks: Vec<String>,
    /// Anchor on the page of the runs behind this cell.
    pub runs: Option<String>,
}

/// Direction of a difference: up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Plain,
    Up,
    Down,
}

impl Table {
    /// Returns the notes below one table in a block of tables. A note that all tables share appears once, below the last.
    fn own_notes(block: &[Self], place: usize) -> impl Iterator<Item = &str> {
        let is_last = place + 1 == block.len();
        let is_common = |note: &String| block.iter().all(|table| table.notes.contains(note));
        block[place].notes.iter().filter(move |note| is_last || !is_common(note)).map(String::as_str)
    }
}

impl Column {
    /// Creates a column of numbers.
    pub(super) fn number<F: Into<String>>(heading: impl Into<String>, fields: impl IntoIterator<Item = F>) -> Self {
        Self { heading: heading.into(), style: Style::Number, fields: fields.into_iter().map(Into::into).collect() }
    }

    /// Creates a column of labels; its field is named after the heading.
    pub(super) fn label(heading: impl Into<String>) -> Self {
        let heading = heading.into();
        Self { fields: vec![heading.replace(' ', "_")], heading, style: Style::Label }
    }

    /// Creates a column of sentences; its field is named after the heading.
    pub(super) fn prose(heading: impl Into<String>) -> Self {
        Self { style: Style::Prose, ..Self::label(heading) }
    }
}

impl Cell {
    /// Creates a cell whose text is also its value.
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self { values: vec![Value::Text(text.clone().into())], text, ..Self::default() }
    }

    /// Creates a cell without a value; its text says why.
    pub(super) fn absent(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Creates a cell with numbers and the text that shows them.
    pub(super) fn numbers(text: impl Into<String>, numbers: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = numbers.into_iter().map(Value::of_number).collect();
        Self { text: text.into(), values, ..Self::default() }
    }

    /// Creates a cell with the mean and the deviation of several seeds; a dash if there are none.
    pub(super) fn of_seeds(summary: Option<Summary>) -> Self {
        summary.map_or_else(|| Self::absent("–"), |s| Self::numbers(s.to_string(), [Some(s.mean), s.deviation]))
    }

    /// Creates a cell with a number that `text` formats; a dash if there is no number.
    pub(super) fn number(number: Option<f64>, text: impl Fn(f64) -> String) -> Self {
        Self::numbers(number.map_or_else(|| "–".to_owned(), text), [number])
    }

    /// Creates a cell with an interval of differences; a dash if there is no interval.
    pub(super) fn interval(interval: Option<(f64, f64)>) -> Self {
        let text = interval.map(|(low, high)| format!("{} to {}", signed(low), signed(high)));
        let (low, high) = interval.unzip();
        Self::numbers(text.unwrap_or_else(|| "–".to_owned()), [low, high])
    }

    /// Creates a cell with a count.
    pub(super) fn count(count: usize) -> Self {
        Self { text: count.to_string(), values: vec![count_value(count)], ..Self::default() }
    }

    /// Creates a cell with an integer.
    pub(super) fn integer(number: i64) -> Self {
        Self { text: number.to_string(), values: vec![Value::Integer(number)], ..Self::default() }
    }

    /// Returns the cell in another tone.
    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// Returns the cell with a link to the runs behind it.
    pub(super) fn linked(self, runs: Option<String>) -> Self {
        Self { runs, ..self }
    }

    /// Returns the cell with a remark below it.
    pub(super) fn remarked(mut self, text: impl Into<String>) -> Self {
        self.remarks.push(text.into());
        self
    }
}

impl Tone {
    /// Returns the tone of a difference; a difference that is shown as 0 has none.
    pub(super) fn of(difference: f64) -> Self {
        match difference {
            d if d >= 0.000_05 => Self::Up,
            d if d <= -0.000_05 => Self::Down,
            _ => Self::Plain,
        }
    }
}

/// Converts a count to a value.
pub(super) fn count_value(count: usize) -> Value<'static> {
    // No table counts beyond 2⁶³.
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
