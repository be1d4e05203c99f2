//! What can go wrong while numbers are exported.

use crate::store::StoreError;

/// Every message says what and where.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The receiver cannot be written to.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}
