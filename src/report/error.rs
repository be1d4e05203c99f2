//! What can go wrong while a report is made.

use crate::cause::Cause;
use crate::outputs::OutputError;
use crate::published::PublishedError;

/// Every message says what and where.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The published table that the sweep names.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Files could not be written where they were asked for.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A table or the findings could not be encoded.
    #[error("cannot encode a file of the report: {0}")]
    Encode(#[from] std::io::Error),
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {source}")]
    Draw {
        /// Which.
        figure: String,
        /// Why.
        #[source]
        source: Cause,
    },
}
