//! Errors of the store.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use super::notice;
use super::remarks::{MAX_TAGS, Tags};
use super::sqlite::{SqliteError, is_locked};
use crate::cause::Cause;

/// An error of the store. Each message names the store and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be opened or created.
    #[error(
        "cannot open the store {path}: {source}; --store (or DIDACT_STORE) must name a SQLite file in a writable folder"
    )]
    Open {
        /// Path of the store.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: Cause,
    },
    /// A store on a server was named, but this executable has no support for it.
    #[error(
        "this didact was built without PostgreSQL; build it with `cargo install --path . --features postgres`, or name a SQLite file with \
         --store"
    )]
    NoPostgres,
    /// Artifacts in an object store were named, but this executable has no support for it.
    #[error(
        "this didact was built without object stores; build it with `cargo install --path . --features s3`, or name a folder with --artifacts"
    )]
    NoObjectStore,
    /// An object store cannot be used.
    #[error("cannot use the artifacts {place}: {source}")]
    ObjectStore {
        /// Its address.
        place: PathBuf,
        /// Cause of the failure.
        #[source]
        source: Cause,
    },
    /// A server cannot be used.
    #[error(
        "cannot use the store {url}: {source}; --store (or DIDACT_STORE) must name a database of a PostgreSQL server, 14 or later",
        source = of_server(source)
    )]
    Server {
        /// URL of the database without its password.
        url: String,
        /// Cause of the failure.
        #[source]
        source: Cause,
    },
    /// A store on a server has no folder next to it.
    #[error("a store on a server needs the folder of its artifacts: name it with --artifacts or DIDACT_ARTIFACTS")]
    NoArtifacts,
    /// An operation is only possible on a SQLite file.
    #[error("{url} is on a PostgreSQL server; {remedy}")]
    OnServer {
        /// URL of the database without its password.
        url: PathBuf,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The store does not exist. Opening it for reading never creates it.
    #[error(
        "there is no store at {path}; run `didact sweep` to create it, or name another store with --store or DIDACT_STORE"
    )]
    Absent {
        /// Path of the store.
        path: PathBuf,
    },
    /// A newer version of didact wrote the store.
    #[error(
        "the store {path} was written by a newer version of didact (schema {found}; this version supports up to {known}); use that version, \
         or name another store with --store"
    )]
    Newer {
        /// Path of the store.
        path: PathBuf,
        /// Schema version of the store.
        found: i64,
        /// Newest schema version that this version supports.
        known: i64,
    },
    /// An earlier version of didact wrote the store, and this version cannot read it.
    #[error(
        "the store {path} was made by an earlier version of didact, and this version cannot read it; nothing was written to it. Start a \
         new store (--store or DIDACT_STORE), and keep the earlier version to read this one"
    )]
    Earlier {
        /// Path of the store.
        path: PathBuf,
    },
    /// The file was deleted, moved or replaced after it was opened.
    #[error(
        "the store {path} was deleted or replaced while it was in use; didact stopped writing to it. Restore the file, or start the sweep \
         again (finished artifacts are kept)"
    )]
    Replaced {
        /// Path at which the store was opened.
        path: PathBuf,
    },
    /// The key of a stage differs from the key that this version computes for its job.
    #[error(
        "the stage {kind} {stage} was planned by another version of didact: this version ({version}) computes a different key for its job. \
         Nothing was computed. Run the sweep again with this version, or run this worker with the version that planned the sweep",
        version = crate::VERSION
    )]
    OtherVersion {
        /// Kind of the stage.
        kind: String,
        /// First digits of the stage's key.
        stage: String,
    },
    /// Another process planned the same sweep at the same moment.
    #[error("another process planned this sweep at the same time; run the command again")]
    Replanned,
    /// No sweep, run, trial or stage has this id.
    #[error("no sweep, run, trial or stage has the id `{id}`; run `didact status` to list them")]
    NoId {
        /// The requested id.
        id: String,
    },
    /// Several keys begin with this id.
    #[error("{count} ids begin with `{id}`; give more digits")]
    Ambiguous {
        /// The requested id.
        id: String,
        /// Number of matching ids.
        count: usize,
    },
    /// Several sweeps have a trial with this number.
    #[error("several sweeps have a trial {id}: name one of {names}")]
    AmbiguousTrial {
        /// The requested id.
        id: String,
        /// The possible ids, qualified with their sweeps.
        names: String,
    },
    /// A sweep has no trial with this number.
    #[error("sweep `{sweep}` has no trial {id}: its last trial is {last} (run `didact status {sweep}` to list them)")]
    NoTrial {
        /// The requested id.
        id: String,
        /// The sweep's name.
        sweep: String,
        /// Highest trial id of the sweep.
        last: String,
    },
    /// The sweep with this name was made from another file.
    #[error(
        "the sweep `{name}` was made from another file, {known}. Add --replace to replace that sweep and its report with {given}, or \
         --set name=… to start a separate sweep"
    )]
    OtherFile {
        /// The sweep's name.
        name: String,
        /// The file from which the sweep was made.
        known: String,
        /// The file that the user gave.
        given: String,
    },
    /// A sweep with this name already exists.
    #[error("a sweep `{name}` already exists; choose another name, or run `didact delete {name}`")]
    NameTaken {
        /// The requested name.
        name: String,
    },
    /// A sweep lacks the tag that was to be removed.
    #[error("the sweep has no tag `{tag}`; its other tags: {known}")]
    NoTag {
        /// The tag.
        tag: String,
        /// The other tags of the sweep.
        known: Tags,
    },
    /// A sweep would have too many tags.
    #[error("the sweep would have {count} tags; expected at most {MAX_TAGS} (remove some with --remove)")]
    TooManyTags {
        /// Number of tags.
        count: usize,
    },
    /// The operation is not possible on a running sweep.
    #[error("the sweep `{name}` is running ({who}); stop it first")]
    Running {
        /// The sweep's name.
        name: String,
        /// The workers that run the sweep.
        who: String,
    },
    /// No sweep has this name.
    #[error("there is no sweep `{name}` in the store; it contains: {known}")]
    NoSweep {
        /// The requested name.
        name: String,
        /// Names of the sweeps in the store.
        known: String,
    },
    /// The SQLite file belongs to another program.
    #[error(
        "{path} is not a store of didact but a SQLite file of another program ({what}); nothing was written to it. --store (or \
         DIDACT_STORE) must name a store or a new file"
    )]
    Foreign {
        /// Path of the file.
        path: PathBuf,
        /// The evidence: an application id or names of tables.
        what: String,
    },
    /// A store was to be merged into itself.
    #[error("{path} is the store itself; name another store to merge into it")]
    SameStore {
        /// Path of the store.
        path: PathBuf,
    },
    /// A store was to be copied to one that has content.
    #[error(
        "the store {path} is not empty, and a copy never replaces anything; name another database, or `didact store merge` both"
    )]
    NotEmpty {
        /// The store that was to be written.
        path: PathBuf,
    },
    /// A file already exists where a copy was to be written.
    #[error("{path} already exists, and a copy never replaces a file; name a file that does not exist")]
    Exists {
        /// Path of the existing file.
        path: PathBuf,
    },
    /// The store could not be copied.
    #[error("cannot copy the store {store} to {path}: {source}; no copy was left there")]
    Backup {
        /// Path of the store.
        store: PathBuf,
        /// Path of the copy.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: std::io::Error,
    },
    /// The artifacts folder belongs to another store.
    #[error("the artifacts folder {folder} belongs to {owner}; nothing was written to it. {remedy}")]
    OtherOwner {
        /// Path of the artifacts folder.
        folder: PathBuf,
        /// The store that owns the folder.
        owner: String,
        /// What the user can do.
        remedy: String,
    },
    /// A SQL statement failed.
    #[error("{0}")]
    Sql(#[source] SqlFailure),
    /// A file of an artifact could not be read or written.
    #[error("cannot read or write {path}: {source}")]
    Artifact {
        /// Path of the file or folder.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: std::io::Error,
    },
    /// A row has invalid content.
    #[error("the store contains a row that cannot be read: {0}")]
    Row(#[source] Cause),
}

impl StoreError {
    /// Returns the error for a SQLite file that cannot be opened.
    pub(super) fn opening(path: &Path, error: sqlx::Error) -> Self {
        match is_locked(&error) {
            true => Self::Sql(SqlFailure { path: path.to_owned(), source: SqliteError(error) }),
            false => Self::Open { path: path.to_owned(), source: SqliteError(error).into() },
        }
    }

    /// Returns whether the server of the store did not answer, or ended the connection. It may be restarting.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Sql(failure) => failure.is_unreachable(),
            Self::Server { source, .. } => source.downcast_ref().is_some_and(is_unreachable),
            _ => false,
        }
    }

    /// Returns whether the store works and only has nothing of the requested name.
    pub fn is_unknown_name(&self) -> bool {
        matches!(
            self,
            Self::NoSweep { .. }
                | Self::NoId { .. }
                | Self::NoTrial { .. }
                | Self::Ambiguous { .. }
                | Self::AmbiguousTrial { .. }
        )
    }

    /// Returns whether another program holds a lock on the store.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Sql(failure) if failure.is_locked())
    }
}

/// A SQL statement that failed, with the path of the store.
#[derive(Debug)]
pub struct SqlFailure {
    path: PathBuf,
    source: SqliteError,
}

impl SqlFailure {
    fn is_unreachable(&self) -> bool {
        is_unreachable(&self.source.0)
    }

    /// Returns whether another program holds a lock on the store.
    fn is_locked(&self) -> bool {
        is_locked(&self.source.0)
    }
}

/// Describes an error of a server for people.
fn of_server(error: &Cause) -> String {
    match error.downcast_ref() {
        Some(sqlx::Error::PoolTimedOut) => "the server does not answer".to_owned(),
        // Its other facts are about the source code of the server.
        Some(sqlx::Error::Database(error)) => error.message().to_owned(),
        Some(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            "there is no such file or socket; the server has not started yet, or it has ended".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Returns whether a server did not answer, or ended the connection.
fn is_unreachable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => true,
        // Connection exceptions, too many connections, the three states of a server that stops or starts, and a transaction that was
        // idle for too long.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08") || ["25P03", "53300", "57P01", "57P02", "57P03"].contains(&&*code)
        }),
        _ => false,
    }
}

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, source } = self;
        match self.is_locked() {
            true => write!(
                f,
                "the store {0} is locked: another program, perhaps a database browser or a backup, has blocked it for 30 s (run \
                 `fuser {0}` to find that program). Close it and run the command again; no data is lost",
                path.display()
            ),
            false if self.is_unreachable() => write!(f, "the store {} does not answer: {source}", path.display()),
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
        Self::Sql(SqlFailure { path: notice::latest_store(), source: SqliteError(error) })
    }
}

/// The content of a row cannot be parsed, or a value cannot be serialised.
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
    async fn the_error_of_a_locked_store_names_the_store_and_the_remedy() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).busy_timeout(Duration::ZERO);
        let mut holder = SqliteConnection::connect_with(&options).await.expect("opens");
        holder.execute("BEGIN EXCLUSIVE").await.expect("locks");
        let mut other = SqliteConnection::connect_with(&options).await.expect("opens");
        let error = other.execute("BEGIN IMMEDIATE").await.expect_err("it is locked");
        let error = StoreError::opening(&path, error);
        assert!(error.is_locked());
        let message = error.to_string();
        assert!(message.contains("a.db is locked") && message.contains("run the command again"), "{message}");
        let failure = error.source().and_then(Error::source).and_then(Error::source);
        assert!(failure.is_some_and(|source| source.is::<sqlx::Error>()), "its source is kept");
    }
}
