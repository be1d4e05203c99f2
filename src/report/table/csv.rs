//! Writes exact values as CSV: a table's with one column per field, or named columns of a figure's marks.

use std::io;

use super::Table;
use crate::export::{Column, ColumnKind, DataFormat, Value, writer};

/// Returns the bytes of a table's file.
///
/// # Errors
/// The values cannot be encoded.
pub(in crate::report) fn bytes(table: &Table) -> io::Result<Vec<u8>> {
    let fields = table.columns.iter().flat_map(|column| column.fields.iter().map(String::as_str));
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(&row.cells);
        cells.flat_map(|(column, cell)| {
            let given = cell.values.iter().cloned().chain(std::iter::repeat(Value::Absent));
            given.take(column.fields.len())
        })
    });
    encoded(fields, rows.map(Iterator::collect))
}

/// Returns the bytes of a file with these columns and rows.
///
/// # Errors
/// The values cannot be encoded.
pub(in crate::report) fn encoded<'v>(
    columns: impl Iterator<Item = &'v str>,
    rows: impl Iterator<Item = Vec<Value<'v>>>,
) -> io::Result<Vec<u8>> {
    // CSV does not distinguish kinds of columns.
    let columns = columns.map(|name| Column::new(name, ColumnKind::Text)).collect();
    let mut bytes = Vec::new();
    let mut out = writer(DataFormat::Csv, columns, &mut bytes)?;
    for row in rows {
        out.row(&row)?;
    }
    out.finish()?;
    Ok(bytes)
}
