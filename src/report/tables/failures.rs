//! The table of failed runs.

use crate::analysis::Rows;
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::store::RunRow;
use crate::store::RunState;

/// Returns a table with one row per failed run; `None` if no run failed.
pub(in crate::report) fn failures(rows: &Rows) -> Option<Table> {
    let row = |run: &RunRow| TableRow {
        cells: vec![
            Cell::text(&run.title),
            Cell::text(&run.category),
            Cell::integer(run.seed),
            Cell::text(run.reason.as_deref().unwrap_or("unknown")),
        ],
        ..TableRow::default()
    };
    let failed: Vec<TableRow> = rows.runs.iter().filter(|run| run.state == RunState::Failed).map(row).collect();
    (!failed.is_empty()).then(|| Table {
        name: "failures".to_owned(),
        title: "Failed runs".to_owned(),
        columns: vec![
            Column::label("variant"),
            Column::label("category"),
            Column::number("seed", ["seed"]),
            Column::prose("reason"),
        ],
        rows: failed,
        remarks: None,
        notes: Vec::new(),
    })
}
