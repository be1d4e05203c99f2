//! What can go wrong while a report is made.

use crate::outputs::OutputError;
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
    /// Files could not be written where they were asked for.
    #[error(transparent)]
    Output(#[from] OutputError),
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
