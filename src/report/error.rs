//! What can go wrong while a report is made.

use std::path::PathBuf;

use crate::store::StoreError;

/// Every message says what and where.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A published table that does not exist, or is damaged.
    #[error("{0}")]
    Baseline(String),
    /// A file could not be written.
    #[error("cannot write {path}: {source}; --out names another folder")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Whoever is given an export could not take it.
    #[error(transparent)]
    Out(#[from] std::io::Error),
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {reason}")]
    Draw {
        /// Which.
        figure: String,
        /// Why.
        reason: String,
    },
}
