//! What SQLite says, and what it puts beside a file.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a writer waits for the others.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A file beside the store's, of its name with another ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// SQLITE_BUSY in all its forms.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.message().contains("database is locked"))
}

/// An error of SQLite in SQLite's words alone, without sqlx's around them.
#[derive(Debug)]
pub(super) struct SqliteError(pub sqlx::Error);

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(inner) if inner.message().contains("not a database") => {
                f.write_str("it is a file of another kind, not a SQLite database")
            }
            sqlx::Error::Database(inner) if inner.message().contains("is full") => {
                write!(f, "{}: make room, and start the same command again", inner.message())
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
