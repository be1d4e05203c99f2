//! Closes stores. The last process that closes a store merges the write-ahead log into the database file.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::filesystem::Identity;
use super::log::needs_log;
use super::open::{Store, take_open};
use super::sqlite::with_suffix;

/// Two processes that close the store at the same moment block each other, so each tries several times.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(12);

/// Maximum time to wait for open connections. After it, they stay open until the process ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Store {
    /// Closes the store. If no other process has it open, its log is merged into the file, and the store is this one file.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.pool.close()).await;
        crate::fault::point("leave:before");
        if self.pool.sqlite().is_none() {
            return;
        }
        let is_ours = || self.identity.is_some() && Identity::of(self.path()) == self.identity;
        for attempt in 0..TRIES {
            // Another file may have replaced the store; it must not be changed.
            if !is_ours() || !(needs_log(self.path()) || with_suffix(self.path(), "-wal").exists()) {
                return;
            }
            // SQLite changes the journal mode only if no other connection exists, and merges the log first. It does not wait for others.
            let options = SqliteConnectOptions::new()
                .filename(self.path())
                .busy_timeout(Duration::ZERO)
                .journal_mode(SqliteJournalMode::Delete)
                .disable_statement_logging();
            match options.connect().await {
                Ok(connection) => {
                    let _ = connection.close().await;
                }
                Err(error) => tracing::debug!(%error, "another process has the store open"),
            }
            let jitter = Duration::from_millis(u64::from(std::process::id() % 7));
            if attempt + 1 < TRIES && with_suffix(self.path(), "-wal").exists() {
                tokio::time::sleep(PAUSE * (attempt + 1) + jitter).await;
            }
        }
    }
}

/// Closes every store that this process opened, no matter how the command ended.
pub async fn close_all() {
    for store in take_open() {
        store.close().await;
    }
}
