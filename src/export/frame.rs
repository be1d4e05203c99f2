//! A frame: named columns of exact values for other programs, written row by row without keeping rows. Each format has its own file.

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io;
use std::io::Write;

/// Type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    Integer,
    Number,
    Boolean,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Name, unique within the frame.
    pub name: String,
    /// Type of the values that are present.
    pub kind: ColumnKind,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A value of a row: of its column's type, or absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'v> {
    Absent,
    Text(Cow<'v, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

impl<'v> Value<'v> {
    /// Returns a text value, or an absent one.
    pub(crate) fn of_text(text: Option<&'v str>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.into()))
    }

    /// Returns a number value, or an absent one.
    pub(crate) fn of_number(number: Option<f64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

/// A file format that keeps every bit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    /// Comma-separated values with a header; absent values are empty.
    Csv,
    /// An array of objects, one per line; absent values are null.
    Json,
    /// Apache Parquet; absent values are null.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Writes the rows of one frame.
pub(crate) trait RowWriter {
    /// Writes a row: one value per column.
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()>;

    /// Writes the remaining data and the end of the frame.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Starts a frame with these columns.
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
