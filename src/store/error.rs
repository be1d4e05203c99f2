//! What can be wrong with the store.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use super::notice;
use super::sqlite::{SqliteError, is_locked};
use crate::cause::Cause;

/// Every message says which store and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened or created.
    #[error(
        "cannot open the store {path}: {source}; --store (or DIDACT_STORE) must name a SQLite file in a folder that can be written"
    )]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
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
    /// An earlier didact made it, and this one cannot read it.
    #[error(
        "the store {path} was made by an earlier didact, whose stores this version cannot read; nothing was written to it. Start a new \
         store (--store or DIDACT_STORE names it), and keep the earlier didact to read this one"
    )]
    Earlier {
        /// Where.
        path: PathBuf,
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
    /// The key of a stage is not the one that this version makes of its job.
    #[error(
        "the stage {kind} {stage} was planned by another version of didact than this one ({version}): its key is not the key that this \
         version gives to its job. Nothing was computed for it. Run the sweep again with this version, or this worker with the \
         version that planned the sweep",
        version = crate::VERSION
    )]
    OtherVersion {
        /// Its kind.
        kind: String,
        /// The first digits of its key.
        stage: String,
    },
    /// Another process planned the same sweep at the same moment.
    #[error("another process plans the same sweep at the same time: start the same command again")]
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
    /// Several sweeps have a trial of this number.
    #[error("several sweeps have a trial {id}: name one of {names}")]
    AmbiguousTrial {
        /// Asked for.
        id: String,
        /// With their sweeps.
        names: String,
    },
    /// A sweep has no trial of this number.
    #[error("sweep `{sweep}` has no trial {id}: its last one is {last} (`didact status {sweep}` lists them)")]
    NoTrial {
        /// Asked for.
        id: String,
        /// The sweep's name.
        sweep: String,
        /// The highest number that it has.
        last: String,
    },
    /// Another file made the sweep of this name.
    #[error(
        "the sweep `{name}` was made from another file, {known}: this one, {given}, would take its place and its report's; \
         --replace does so, --set name=… makes a sweep of its own"
    )]
    OtherFile {
        /// The sweep's name.
        name: String,
        /// The file that made it.
        known: String,
        /// The file that would.
        given: String,
    },
    /// A sweep has this name already.
    #[error("there is a sweep `{name}` already: choose another name, or `didact delete {name}`")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// What cannot be done to a sweep under way.
    #[error("the sweep `{name}` is running ({who}): stop it first")]
    Running {
        /// Its name.
        name: String,
        /// Who runs it.
        who: String,
    },
    /// There is no such sweep.
    #[error("there is no sweep `{name}` in the store; it has: {known}")]
    NoSweep {
        /// Asked for.
        name: String,
        /// What is there.
        known: String,
    },
    /// It belongs to another program.
    #[error(
        "{path} is no store of didact but a SQLite file of another program ({what}); nothing was written to it. --store (or \
         DIDACT_STORE) must name a store, or a file that does not exist yet"
    )]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What tells.
        what: String,
    },
    /// Something stands where a copy was to be written.
    #[error("{path} exists already: a copy never takes the place of another file; name one that does not exist")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A copy could not be made.
    #[error("the store {store} could not be copied to {path}: {source}; nothing was left there")]
    Backup {
        /// Of what.
        store: PathBuf,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The artifacts folder belongs to another store.
    #[error("the artifacts folder {folder} belongs to {owner}; nothing was written to it. {remedy}")]
    NotOurs {
        /// Where.
        folder: PathBuf,
        /// Whose.
        owner: String,
        /// What to do.
        remedy: String,
    },
    /// A statement failed.
    #[error("{0}")]
    Sql(#[source] SqlFailure),
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
    Row(#[source] Cause),
}

impl StoreError {
    /// SQLite cannot open the file.
    pub(super) fn opening(path: &Path, error: sqlx::Error) -> Self {
        match is_locked(&error) {
            true => Self::Sql(SqlFailure { path: path.to_owned(), source: SqliteError(error) }),
            false => Self::Open { path: path.to_owned(), source: SqliteError(error).into() },
        }
    }

    /// Whether somebody else holds it.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Sql(failure) if failure.is_locked())
    }
}

/// A statement that failed, in which store.
#[derive(Debug)]
pub struct SqlFailure {
    path: PathBuf,
    source: SqliteError,
}

impl SqlFailure {
    /// Whether another program holds the store.
    fn is_locked(&self) -> bool {
        is_locked(&self.source.0)
    }
}

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, source } = self;
        match self.is_locked() {
            true => write!(
                f,
                "the store {0} is locked: another program has kept it from being used for 30 s (`fuser {0}` names it; a database \
                 browser or a backup, perhaps). Close that program and start the same command again; nothing is lost",
                path.display()
            ),
            false => write!(f, "the store {} failed: {source}", path.display()),
        }
    }
}

impl Error for SqlFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(SqlFailure { path: notice::named(), source: SqliteError(error) })
    }
}

/// What a row holds cannot be read, or not be written as text.
impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{Connection, Executor, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_store_that_is_locked_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).busy_timeout(Duration::ZERO);
        let mut holder = SqliteConnection::connect_with(&options).await.expect("opens");
        holder.execute("BEGIN EXCLUSIVE").await.expect("locks");
        let mut other = SqliteConnection::connect_with(&options).await.expect("opens");
        let error = other.execute("BEGIN IMMEDIATE").await.expect_err("it is locked");
        let error = StoreError::opening(&path, error);
        assert!(error.is_locked());
        let told = error.to_string();
        assert!(told.contains("a.db is locked") && told.contains("start the same command again"), "{told}");
        let failure = error.source().and_then(Error::source).and_then(Error::source);
        assert!(failure.is_some_and(|source| source.is::<sqlx::Error>()), "its source is kept");
    }
}
