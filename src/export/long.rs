//! Long shape: one row per number, called tidy data in statistics.

use std::collections::HashMap;
use std::io;

use super::frame::{Column, ColumnKind, RowWriter, Value};
use super::runs::{Run, Runs};
use crate::store::ResultRow;

pub(crate) fn columns(runs: &Runs) -> Vec<Column> {
    let number = [
        ("selection", ColumnKind::Text),
        ("metric", ColumnKind::Text),
        ("value", ColumnKind::Number),
        ("reason", ColumnKind::Text),
    ];
    runs.columns().into_iter().chain(number.map(|(name, kind)| Column::new(name, kind))).collect()
}

/// Writes the numbers of a batch of runs; `results` are sorted by run.
pub(crate) fn write(runs: &Runs, batch: &[Run], results: &[ResultRow], out: &mut dyn RowWriter) -> io::Result<()> {
    let of_run: HashMap<&str, &[ResultRow]> =
        results.chunk_by(|one, other| one.run_id == other.run_id).map(|rows| (rows[0].run_id.as_str(), rows)).collect();
    for run in batch {
        let mut row = runs.values(run);
        let facts = row.len();
        for result in of_run.get(run.row.id.as_str()).copied().unwrap_or_default() {
            row.truncate(facts);
            row.extend([
                Value::Text(result.selection.name().into()),
                Value::Text(result.name.to_string().into()),
                Value::of_number(result.value),
                Value::of_text(result.reason.as_deref()),
            ]);
            out.row(&row)?;
        }
    }
    Ok(())
}
