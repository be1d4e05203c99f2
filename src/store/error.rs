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
    /// The file was deleted, moved or replaced after it was opened.
    #[error(
        "the store {path} was deleted or replaced while it was in use: nothing more is written; put it back, or start the sweep again \
         (artifacts that are finished stay)"
    )]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },
    /// Another process planned the same sweep at the same moment.
    #[error("the sweep was planned anew by another process")]
    Replanned,
    /// No run, trial, stage or sweep has such an id.
    #[error("no sweep, run, trial or stage has the id `{id}`: `didact status` lists them")]
    NoId {
        /// Asked for.
        id: String,
    },
    /// More than one has it.
    #[error("`{id}` is the beginning of {count} ids: give more digits")]
    Ambiguous {
        /// Asked for.
        id: String,
        /// How many.
        count: usize,
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

/// What a row holds cannot be read, or not be written as text.
impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}
