//! Comma-separated values.

use std::io;
use std::io::Write;

use super::{Column, RowWriter, Value};

/// Writes a header, then a line a row.
pub(super) struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    /// A value's text, kept for its room.
    text: String,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(columns: &[Column], out: W) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(columns.iter().map(|column| &column.name)).map_err(unwritten)?;
        Ok(Self { out, text: String::new() })
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        use std::fmt::Write as _;
        for value in values {
            self.text.clear();
            // A `String` takes whatever is written to it; a float is written with as many digits as tell it from all others.
            let _ = match value {
                Value::Absent => Ok(()),
                Value::Text(text) => write!(self.text, "{text}"),
                Value::Whole(number) => write!(self.text, "{number}"),
                Value::Number(number) => write!(self.text, "{number}"),
                Value::Truth(truth) => write!(self.text, "{truth}"),
            };
            self.out.write_field(&self.text).map_err(unwritten)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(unwritten)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// What the system said: csv's own conversion loses the kind, by which a reader that has gone is told from a full disk.
fn unwritten(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
