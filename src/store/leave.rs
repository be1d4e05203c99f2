//! A store at rest is one file: whoever leaves last puts the log into it. A store that was not left so is told.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::Store;
use super::filesystem::Identity;
use super::open::beside;

/// Two that leave at the same moment hinder each other: each tries so often.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(12);

/// Connections that do not come back within this time are left to the end of the process.
const PATIENCE: Duration = Duration::from_secs(5);

/// A file without a log may be one that another process is just about to use.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Store {
    /// Closes the store. If nobody else has it open, its log goes into the file, and the file alone is the store.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(PATIENCE, self.pool.close()).await;
        crate::fault::point("leave:before");
        let ours = || self.identity.is_some() && Identity::of(self.path()) == self.identity;
        for attempt in 0..TRIES {
            // A file that has taken the place of ours is none of our business.
            if !ours() || !(needs_log(self.path()) || beside(self.path(), "-wal").exists()) {
                return;
            }
            // SQLite changes the mode only for whoever is alone, and writes the log to the file before. It does not wait.
            let options = SqliteConnectOptions::new()
                .filename(self.path())
                .busy_timeout(Duration::ZERO)
                .journal_mode(SqliteJournalMode::Delete)
                .disable_statement_logging();
            match options.connect().await {
                Ok(connection) => {
                    let _ = connection.close().await;
                }
                Err(error) => tracing::debug!(%error, "somebody else has the store open"),
            }
            let jitter = Duration::from_millis(u64::from(std::process::id() % 7));
            if attempt + 1 < TRIES && beside(self.path(), "-wal").exists() {
                tokio::time::sleep(PAUSE * (attempt + 1) + jitter).await;
            }
        }
    }
}

/// Whether a store's header says that it has a log: it is in use, or was not left in good order.
fn needs_log(path: &Path) -> bool {
    let mut header = [0; 20];
    // Bytes 18 and 19: the versions that write and read it; 2 is the write-ahead log.
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] == 2
}

/// Whether the log of a store is missing. SQLite takes such a file as it is.
pub(super) async fn log_is_missing(path: &Path) -> bool {
    let missing = || needs_log(path) && !beside(path, "-wal").exists();
    if !missing() {
        return false;
    }
    tokio::time::sleep(LOOK_AGAIN).await;
    missing()
}
