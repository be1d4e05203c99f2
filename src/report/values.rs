//! The values that a figure draws, in long format: one row per mark.

use std::io;

use super::table::csv;
use crate::export::Value;

/// The values of a figure's marks. All rows have the same columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Values {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value<'static>>>,
}

impl Values {
    /// Collects one row per mark.
    pub(super) fn of<const N: usize>(
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [Value<'static>; N]>,
    ) -> Self {
        Self { columns: columns.to_vec(), rows: rows.into_iter().map(Vec::from).collect() }
    }

    /// Returns the bytes of a CSV file.
    ///
    /// # Errors
    /// The values cannot be encoded.
    pub(super) fn csv(&self) -> io::Result<Vec<u8>> {
        csv::encoded(self.columns.iter().copied(), self.rows.iter().cloned())
    }
}

/// Returns a text as a value.
pub(super) fn text(text: impl Into<String>) -> Value<'static> {
    Value::Text(text.into().into())
}

/// Returns a number as a value; it may be missing.
pub(super) fn number(number: impl Into<Option<f64>>) -> Value<'static> {
    Value::of_number(number.into())
}

/// Returns an integer as a value; it may be missing.
pub(super) fn integer(number: impl Into<Option<i64>>) -> Value<'static> {
    number.into().map_or(Value::Absent, Value::Integer)
}
