//! What can be wrong with the store.

use std::fmt;
use std::path::{Path, PathBuf};

use super::notice;
use super::open::is_locked;

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
    #[error("the store {store} could not be copied to {path}: {reason}; nothing was left there")]
    Backup {
        /// Of what.
        store: PathBuf,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
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
    Sql(SqlFailure),
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

impl StoreError {
    /// Whether somebody else holds it.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Sql(failure) if failure.locked)
    }
}

/// A statement that failed, in which store.
#[derive(Debug)]
pub struct SqlFailure {
    path: PathBuf,
    reason: String,
    locked: bool,
}

impl SqlFailure {
    /// Another program holds it.
    pub(super) fn locked(path: &Path) -> Self {
        Self { path: path.to_owned(), reason: "database is locked".to_owned(), locked: true }
    }
}

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, reason, locked } = self;
        match locked {
            true => write!(
                f,
                "the store {0} is locked: another program has kept it from being used for 30 s (`fuser {0}` names it; a database \
                 browser or a backup, perhaps). Close that program and start the same command again; nothing is lost",
                path.display()
            ),
            false => write!(f, "the store {} failed: {reason}", path.display()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let locked = is_locked(&error);
        let reason = match &error {
            sqlx::Error::Database(inner) if inner.message().contains("is full") => {
                format!("{}: make room, and start the same command again", inner.message())
            }
            sqlx::Error::Database(inner) => inner.message().to_owned(),
            other => other.to_string(),
        };
        Self::Sql(SqlFailure { path: notice::named(), reason, locked })
    }
}

/// What a row holds cannot be read, or not be written as text.
impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_locked_is_named_with_what_to_do() {
        let told = StoreError::Sql(SqlFailure::locked(Path::new("x/a.db"))).to_string();
        assert!(told.contains("x/a.db is locked") && told.contains("start the same command again"), "{told}");
    }
}
