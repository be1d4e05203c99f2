//! Writes the numbers of a sweep.

use std::io::Write;

use super::error::ExportError;
use super::frame::{DataFormat, writer};
use super::runs::{self, Runs};
use super::{long, wide};
use crate::store::Store;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number: run × selection × metric. Runs without any have no row.
    Long,
    /// A run, with a column for each of its numbers and costs.
    Wide,
}

/// Runs whose numbers are read together.
const BATCH: usize = 512;

/// Writes all numbers of a sweep: the same store, the same bytes. A few hundred runs are held at a time.
///
/// # Errors
///
/// A store that cannot be read, or an `out` that cannot be written to.
pub async fn export(
    store: &Store,
    sweep: &str,
    format: DataFormat,
    shape: Shape,
    out: impl Write + Send,
) -> Result<(), ExportError> {
    let runs = Runs::read(store, sweep).await?;
    match shape {
        Shape::Long => {
            let mut rows = writer(format, long::columns(&runs), out)?;
            for batch in runs.rows.chunks(BATCH) {
                let results = store.results_of(&runs::ids(batch)).await?;
                long::write(&runs, batch, &results, rows.as_mut())?;
            }
            Ok(rows.finish()?)
        }
        Shape::Wide => {
            let numbers = wide::Numbers::of(store.result_names(sweep).await?);
            let mut rows = writer(format, wide::columns(&runs, &numbers), out)?;
            for batch in runs.rows.chunks(BATCH) {
                let results = store.results_of(&runs::ids(batch)).await?;
                let costs = store.costs_of(&runs::ids(batch)).await?;
                wide::write(&runs, &numbers, batch, (&results, &costs), rows.as_mut())?;
            }
            Ok(rows.finish()?)
        }
    }
}
