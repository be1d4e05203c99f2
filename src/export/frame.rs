//! What programs read: named columns of exact values, written row by row, so that none of them need be kept. One format a file.

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io;
use std::io::Write;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Whole,
    Number,
    Truth,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Unique among its neighbours.
    pub name: String,
    /// What its values are, where there are any.
    pub kind: Kind,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A value of a row, of its column's kind or absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'v> {
    Absent,
    Text(Cow<'v, str>),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

impl<'v> Value<'v> {
    /// Text, or nothing.
    pub(crate) fn of_text(text: Option<&'v str>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.into()))
    }

    /// A number, or nothing.
    pub(crate) fn of_number(number: Option<f64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

/// A file format that keeps numbers to the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    /// Comma-separated values with a header; what is absent is empty.
    Csv,
    /// An array of objects, one a line; what is absent is null.
    Json,
    /// Apache Parquet; what is absent is null.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Takes the rows of one frame.
pub(crate) trait RowWriter {
    /// Writes a row: one value a column.
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()>;

    /// Writes what is left.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins a frame with these columns.
pub(crate) fn writer<'w>(
    format: DataFormat,
    columns: Vec<Column>,
    out: impl Write + Send + 'w,
) -> io::Result<Box<dyn RowWriter + 'w>> {
    Ok(match format {
        DataFormat::Csv => Box::new(csv::CsvWriter::new(&columns, out)?),
        DataFormat::Json => Box::new(json::JsonWriter::new(columns, out)?),
        #[cfg(feature = "parquet")]
        DataFormat::Parquet => Box::new(parquet::ParquetWriter::new(columns, out)?),
    })
}
