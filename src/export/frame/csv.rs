//! Writes frames as comma-separated values.

use std::io;
use std::io::Write;

use super::{Column, RowWriter, Value};

/// Writes a header, then one line per row.
pub(super) struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    /// Buffer for the text of a value.
    text: String,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(columns: &[Column], out: W) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(columns.iter().map(|column| &column.name)).map_err(io_error)?;
        Ok(Self { out, text: String::new() })
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        use std::fmt::Write as _;
        for value in values {
            self.text.clear();
            // Writing to a `String` cannot fail. A float is written with the digits that identify it exactly.
            let _ = match value {
                Value::Absent => Ok(()),
                Value::Text(text) => write!(self.text, "{text}"),
                Value::Integer(number) => write!(self.text, "{number}"),
                Value::Number(number) => write!(self.text, "{number}"),
                Value::Boolean(truth) => write!(self.text, "{truth}"),
            };
            self.out.write_field(&self.text).map_err(io_error)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the system's error. The conversion of `csv` loses its kind, which distinguishes a closed pipe from a full disk.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
