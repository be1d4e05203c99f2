//! What a table is: cells that say something to people, with the exact values behind it. One way to show it a file.

pub(super) mod csv;
pub(super) mod html;
pub(super) mod latex;
pub(super) mod markdown;
#[cfg(test)]
mod tests;

use crate::export::Value;
use crate::text::signed;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// File name without ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// What the remarks below its cells are; told where they are shown.
    pub remarks: Option<&'static str>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// For people; a line break where it has two parts.
    pub heading: String,
    pub style: Style,
    /// Names of the values behind each cell.
    pub fields: Vec<String>,
}

/// How the cells of a column are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// To the right.
    Number,
    /// To the left, on one line.
    Label,
    /// To the left, on as many lines as it takes.
    Prose,
}

/// A row: one cell a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Row {
    pub cells: Vec<Cell>,
    /// Whether it is that of the re-run baseline.
    pub baseline: bool,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cell {
    /// For people.
    pub text: String,
    /// For programs: one a field of its column; those that are missing are absent.
    pub values: Vec<Value<'static>>,
    /// Whether the tests support that it is the best of its column.
    pub best: bool,
    pub tone: Tone,
    /// What stands below on a page, where there is room.
    pub remarks: Vec<String>,
    /// Where on the page the runs are told that it is made of.
    pub runs: Option<String>,
}

/// Whether a difference is upwards or downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Plain,
    Up,
    Down,
}

impl Table {
    /// The notes that stand below it in a block of tables: one that is common to all stands once, below the last.
    fn own_notes(block: &[Self], place: usize) -> impl Iterator<Item = &str> {
        let is_last = place + 1 == block.len();
        let is_common = |note: &String| block.iter().all(|table| table.notes.contains(note));
        block[place].notes.iter().filter(move |note| is_last || !is_common(note)).map(String::as_str)
    }
}

impl Column {
    /// A column of numbers.
    pub(super) fn number<F: Into<String>>(heading: impl Into<String>, fields: impl IntoIterator<Item = F>) -> Self {
        Self { heading: heading.into(), style: Style::Number, fields: fields.into_iter().map(Into::into).collect() }
    }

    /// A column of labels; its field is called as it is headed.
    pub(super) fn label(heading: impl Into<String>) -> Self {
        let heading = heading.into();
        Self { fields: vec![heading.replace(' ', "_")], heading, style: Style::Label }
    }

    /// The same, of sentences.
    pub(super) fn prose(heading: impl Into<String>) -> Self {
        Self { style: Style::Prose, ..Self::label(heading) }
    }
}

impl Cell {
    /// A text that is its own value.
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self { values: vec![Value::Text(text.clone().into())], text, ..Self::default() }
    }

    /// A text that says why there is no value.
    pub(super) fn absent(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Numbers, and how they read.
    pub(super) fn numbers(text: impl Into<String>, numbers: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = numbers.into_iter().map(Value::of_number).collect();
        Self { text: text.into(), values, ..Self::default() }
    }

    /// A number as `text` has it; a dash where there is none.
    pub(super) fn number(number: Option<f64>, text: impl Fn(f64) -> String) -> Self {
        Self::numbers(number.map_or_else(|| "–".to_owned(), text), [number])
    }

    /// An interval of differences; a dash where there is none.
    pub(super) fn interval(interval: Option<(f64, f64)>) -> Self {
        let text = interval.map(|(low, high)| format!("{} to {}", signed(low), signed(high)));
        let (low, high) = interval.unzip();
        Self::numbers(text.unwrap_or_else(|| "–".to_owned()), [low, high])
    }

    /// A count.
    pub(super) fn count(count: usize) -> Self {
        Self { text: count.to_string(), values: vec![whole(count)], ..Self::default() }
    }

    /// A whole number.
    pub(super) fn whole(number: i64) -> Self {
        Self { text: number.to_string(), values: vec![Value::Integer(number)], ..Self::default() }
    }

    /// In another tone.
    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// With a link to the runs that it is made of.
    pub(super) fn linked(self, runs: Option<String>) -> Self {
        Self { runs, ..self }
    }

    /// With a remark below.
    pub(super) fn remarked(mut self, text: impl Into<String>) -> Self {
        self.remarks.push(text.into());
        self
    }
}

impl Tone {
    /// The tone of a difference; one that reads as 0 has none.
    pub(super) fn of(difference: f64) -> Self {
        match difference {
            d if d >= 0.000_05 => Self::Up,
            d if d <= -0.000_05 => Self::Down,
            _ => Self::Plain,
        }
    }
}

/// A count as a value.
pub(super) fn whole(count: usize) -> Value<'static> {
    // No table counts beyond 2⁶³.
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
