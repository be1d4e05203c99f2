//! Writes frames as Apache Parquet: consecutive row groups, every column nullable.

use std::io;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::{Column, ColumnKind, RowWriter, Value};

/// Number of rows that are collected for one row group.
const GROUP_ROWS: usize = 1 << 16;

/// Collects rows by column.
pub(super) struct ParquetWriter<W: Write + Send> {
    columns: Vec<ColumnBuffer>,
    rows: usize,
    out: SerializedFileWriter<W>,
}

/// Values of a column in the row group that is being collected.
struct ColumnBuffer {
    /// 1 if the row has a value, otherwise 0.
    present: Vec<i16>,
    values: Values,
}

/// The values that are present.
enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(super) fn new(columns: Vec<Column>, out: W) -> io::Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<_, _>>().map_err(io_error)?;
        let schema = Type::group_type_builder("didact").with_fields(fields).build().map_err(io_error)?;
        let properties = Arc::new(WriterProperties::builder().build());
        let out = SerializedFileWriter::new(out, Arc::new(schema), properties).map_err(io_error)?;
        let columns = columns.into_iter().map(|column| ColumnBuffer::new(column.kind)).collect();
        Ok(Self { columns, rows: 0, out })
    }

    /// Writes the collected rows as a row group.
    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut group = self.out.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            let present = Some(&column.present[..]);
            match (writer.untyped(), &column.values) {
                (ColumnWriter::ByteArrayColumnWriter(to), Values::Text(v)) => to.write_batch(v, present, None)?,
                (ColumnWriter::Int64ColumnWriter(to), Values::Integer(v)) => to.write_batch(v, present, None)?,
                (ColumnWriter::DoubleColumnWriter(to), Values::Number(v)) => to.write_batch(v, present, None)?,
                (ColumnWriter::BoolColumnWriter(to), Values::Boolean(v)) => to.write_batch(v, present, None)?,
                _ => return Err(ParquetError::General("the type of a column differs from its schema".to_owned())),
            };
            writer.close()?;
            column.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS { self.flush().map_err(io_error) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.flush().map_err(io_error)?;
        }
        self.out.close().map(drop).map_err(io_error)
    }
}

impl ColumnBuffer {
    fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Text => Values::Text(Vec::new()),
            ColumnKind::Integer => Values::Integer(Vec::new()),
            ColumnKind::Number => Values::Number(Vec::new()),
            ColumnKind::Boolean => Values::Boolean(Vec::new()),
        };
        Self { present: Vec::new(), values }
    }

    /// Adds a value; a value of another type than the column's counts as absent.
    fn push(&mut self, value: &Value<'_>) {
        let present = match (&mut self.values, value) {
            (Values::Text(values), Value::Text(text)) => {
                values.push(ByteArray::from(text.as_bytes().to_vec()));
                true
            }
            (Values::Integer(values), Value::Integer(number)) => {
                values.push(*number);
                true
            }
            (Values::Number(values), Value::Number(number)) => {
                values.push(*number);
                true
            }
            (Values::Boolean(values), Value::Boolean(truth)) => {
                values.push(*truth);
                true
            }
            _ => false,
        };
        self.present.push(i16::from(present));
    }

    fn clear(&mut self) {
        self.present.clear();
        match &mut self.values {
            Values::Text(values) => values.clear(),
            Values::Integer(values) => values.clear(),
            Values::Number(values) => values.clear(),
            Values::Boolean(values) => values.clear(),
        }
    }
}

fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Integer => (PhysicalType::INT64, None),
        ColumnKind::Number => (PhysicalType::DOUBLE, None),
        ColumnKind::Boolean => (PhysicalType::BOOLEAN, None),
    };
    let field = Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
    field.with_logical_type(logical).build().map(Arc::new)
}

fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
