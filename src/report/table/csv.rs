//! Writes a table's exact values as CSV: one column per field.

use std::io;

use super::Table;
use crate::export::{Column, ColumnKind, DataFormat, Value, writer};

/// Returns the bytes of the file.
///
/// # Errors
/// The values cannot be encoded.
pub(in crate::report) fn bytes(table: &Table) -> io::Result<Vec<u8>> {
    let fields = table.columns.iter().flat_map(|column| &column.fields);
    // CSV does not distinguish kinds of columns.
    let columns = fields.map(|name| Column::new(name, ColumnKind::Text)).collect();
    let mut bytes = Vec::new();
    let mut out = writer(DataFormat::Csv, columns, &mut bytes)?;
    for row in &table.rows {
        let mut values = Vec::new();
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            let given = cell.values.iter().cloned().chain(std::iter::repeat(Value::Absent));
            values.extend(given.take(column.fields.len()));
        }
        out.row(&values)?;
    }
    out.finish()?;
    Ok(bytes)
}
