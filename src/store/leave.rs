//! A store at rest is one file: whoever leaves last puts the log into it.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::filesystem::Identity;
use super::log::needs_log;
use super::open::{Store, take_open};
use super::sqlite::beside;

/// Two that leave at the same moment hinder each other: each tries so often.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(12);

/// Connections that do not come back within this time are left to the end of the process.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Closes every store that this process has opened: whichever way a verb ended.
pub async fn close_all() {
    for store in take_open() {
        store.close().await;
    }
}
