//! Errors of exports.

use crate::store::StoreError;

/// Why an export failed. Each message says what and where.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}
