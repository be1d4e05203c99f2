//! Errors of making a report.

use crate::cause::Cause;
use crate::outputs::OutputError;
use crate::published::PublishedError;

/// Why a report could not be made. Every message says what failed and where.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The published table that the sweep names could not be read.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Files could not be written to the requested place.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A table or the findings could not be encoded.
    #[error("cannot encode a file of the report: {0}")]
    Encode(#[from] std::io::Error),
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {source}")]
    Draw {
        /// Name of the figure.
        figure: String,
        /// Cause of the failure.
        #[source]
        source: Cause,
    },
}
