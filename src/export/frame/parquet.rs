//! Apache Parquet: one row group after another, every column nullable.

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

use super::{Column, Kind, RowWriter, Value};

/// Rows that are kept until they are written together.
const GROUP_ROWS: usize = 1 << 16;

/// Collects rows by column.
pub(super) struct ParquetWriter<W: Write + Send> {
    columns: Vec<Collected>,
    rows: usize,
    out: SerializedFileWriter<W>,
}

/// A column's part of the row group that is being collected.
struct Collected {
    /// 1 where the row has a value, 0 where it has none.
    present: Vec<i16>,
    values: Values,
}

/// Those that are there.
enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Truth(Vec<bool>),
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(super) fn new(columns: Vec<Column>, out: W) -> io::Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<_, _>>().map_err(wrong)?;
        let schema = Type::group_type_builder("didact").with_fields(fields).build().map_err(wrong)?;
        let properties = Arc::new(WriterProperties::builder().build());
        let out = SerializedFileWriter::new(out, Arc::new(schema), properties).map_err(wrong)?;
        let columns = columns.into_iter().map(|column| Collected::new(column.kind)).collect();
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
                (ColumnWriter::Int64ColumnWriter(to), Values::Whole(v)) => to.write_batch(v, present, None)?,
                (ColumnWriter::DoubleColumnWriter(to), Values::Number(v)) => to.write_batch(v, present, None)?,
                (ColumnWriter::BoolColumnWriter(to), Values::Truth(v)) => to.write_batch(v, present, None)?,
                _ => return Err(ParquetError::General("a column of another type than the schema says".to_owned())),
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
        if self.rows == GROUP_ROWS { self.flush().map_err(wrong) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.flush().map_err(wrong)?;
        }
        self.out.close().map(drop).map_err(wrong)
    }
}

impl Collected {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Truth => Values::Truth(Vec::new()),
        };
        Self { present: Vec::new(), values }
    }

    /// A value of another kind than the column's counts as absent.
    fn push(&mut self, value: &Value<'_>) {
        let present = match (&mut self.values, value) {
            (Values::Text(values), Value::Text(text)) => {
                values.push(ByteArray::from(text.as_bytes().to_vec()));
                true
            }
            (Values::Whole(values), Value::Whole(number)) => {
                values.push(*number);
                true
            }
            (Values::Number(values), Value::Number(number)) => {
                values.push(*number);
                true
            }
            (Values::Truth(values), Value::Truth(truth)) => {
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
            Values::Whole(values) => values.clear(),
            Values::Number(values) => values.clear(),
            Values::Truth(values) => values.clear(),
        }
    }
}

fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Whole => (PhysicalType::INT64, None),
        Kind::Number => (PhysicalType::DOUBLE, None),
        Kind::Truth => (PhysicalType::BOOLEAN, None),
    };
    let field = Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
    field.with_logical_type(logical).build().map(Arc::new)
}

fn wrong(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
