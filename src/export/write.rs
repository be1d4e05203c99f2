//! Writes the numbers of a sweep.

use std::io::Write;

use super::error::ExportError;
use super::frame::{DataFormat, writer};
use super::runs::{self, Runs};
use super::{long, wide};
use crate::store::Store;

/// Meaning of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One number: run × selection × metric. Runs without numbers have no row.
    Long,
    /// One run, with a column for each of its metrics and costs.
    Wide,
}

/// Number of runs whose numbers are read together.
const BATCH: usize = 512;

/// Writes all numbers of a sweep; the same store gives the same bytes. Keeps a few hundred runs in memory.
///
/// # Errors
///
/// The store cannot be read, or `out` cannot be written.
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
            let numbers = wide::MetricColumns::of(store.result_names(sweep).await?);
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
