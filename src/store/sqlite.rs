//! Error messages of SQLite, and the files that it creates next to a database.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Maximum time that a writer waits for a lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the path of a file next to the store, with a suffix appended to the store's name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns whether SQLite reports any form of SQLITE_BUSY.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.message().contains("database is locked"))
}

/// An error of SQLite, shown with SQLite's message alone, without the context that sqlx adds.
#[derive(Debug)]
pub(super) struct SqliteError(pub sqlx::Error);

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(inner) if inner.message().contains("not a database") => {
                f.write_str("it is not a SQLite database")
            }
            sqlx::Error::Database(inner) if inner.message().contains("is full") => {
                write!(f, "{}; free disk space, then run the command again", inner.message())
            }
            sqlx::Error::Database(inner) => f.write_str(inner.message()),
            other => other.fmt(f),
        }
    }
}

impl Error for SqliteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
