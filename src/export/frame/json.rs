//! Writes frames as a JSON array of objects.

use std::io;
use std::io::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Column, RowWriter, Value};

/// Writes one object per line.
pub(super) struct JsonWriter<W: Write> {
    columns: Vec<Column>,
    out: W,
    started: bool,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn new(columns: Vec<Column>, mut out: W) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { columns, out, started: false })
    }
}

impl<W: Write> RowWriter for JsonWriter<W> {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.out.write_all(if self.started { b",\n" } else { b"\n" })?;
        self.started = true;
        Ok(serde_json::to_writer(&mut self.out, &Object { columns: &self.columns, values })?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.write_all(if self.started { b"\n]\n" } else { b"]\n" })?;
        self.out.flush()
    }
}

/// A row with the names of its columns.
struct Object<'r> {
    columns: &'r [Column],
    values: &'r [Value<'r>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, value) in self.columns.iter().zip(self.values) {
            map.serialize_entry(&column.name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
        }
    }
}
