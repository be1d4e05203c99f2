//! Reports.
mod rows;
use crate::store::Artifacts;
pub use rows::Rows;
use std::path::{Path, PathBuf};
/// What can be wrong with a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// An unknown published baseline.
    #[error("{0}")]
    Baseline(String),
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A figure could not be drawn.
    #[error("cannot draw a figure: {0}")]
    Draw(String),
}
/// Writes.
pub fn write(_rows: &Rows, _artifacts: &Artifacts, out: &Path) -> Result<PathBuf, ReportError> {
    Ok(out.join("index.html"))
}
