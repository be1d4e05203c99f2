//! What can be wrong with the store.

use std::path::PathBuf;

/// Every message says which store and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened or created.
    #[error(
        "cannot open the store {path}: {reason}; --store (or DIDACT_STORE) must name a SQLite file in a folder that can be written"
    )]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not there, and reading does not create it.
    #[error("there is no store at {path}: `didact sweep` creates it; --store (or DIDACT_STORE) names another")]
    Absent {
        /// Where.
        path: PathBuf,
    },
    /// A newer didact wrote it.
    #[error(
        "the store {path} was written by a newer didact (schema {found}, this one knows {known}): use that version, or another --store"
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that this version knows.
        known: i64,
    },
    /// There is no such sweep.
    #[error("there is no sweep `{name}` in the store; it has: {known}")]
    NoSweep {
        /// Asked for.
        name: String,
        /// What is there.
        known: String,
    },
    /// A statement failed.
    #[error("the store failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A file of an artifact could not be made durable.
    #[error("artifact {path}: {source}")]
    Artifact {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row does not hold what it must.
    #[error("the store holds a row that cannot be read: {0}")]
    Row(String),
}
