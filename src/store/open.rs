//! Opening a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What the store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sweeps and workers: created and migrated if need be.
    Write,
    /// Status and reports: never disturbs a sweep, never creates a file.
    Read,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: SqlitePool,
}

impl Store {
    /// Opens `sqlite:PATH` or `PATH`.
    pub async fn open(url: &str, access: Access) -> Result<Self, StoreError> {
        let path = PathBuf::from(url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url));
        if access == Access::Read && !path.is_file() {
            return Err(StoreError::Absent { path });
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(access == Access::Write)
            .read_only(access == Access::Read)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(30))
            .foreign_keys(true);
        let options = match access {
            Access::Write => options.journal_mode(SqliteJournalMode::Wal),
            // The file says its own mode; setting it would write.
            Access::Read => options,
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await
            .map_err(|error| opening(&path, &error))?;
        let store = Self { pool };
        store.check_version(&path, access).await?;
        if access == Access::Write {
            store.migrate(&path).await?;
        }
        Ok(store)
    }

    /// Brings the schema up to date. Two processes may create one store at the same moment: the one that comes second finds the
    /// other's tables half-way, waits, and finds nothing left to do.
    async fn migrate(&self, path: &Path) -> Result<(), StoreError> {
        if MIGRATIONS.run(&self.pool).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => opening(path, &error),
            other => StoreError::Open { path: path.to_owned(), reason: other.to_string() },
        })
    }

    /// Refuses a store that a newer version migrated and, for reading, a database that is none.
    async fn check_version(&self, path: &Path, access: Access) -> Result<(), StoreError> {
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
        let tracked: Option<(String,)> =
            sqlx::query_as("SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'")
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| opening(path, &error))?;
        match (tracked, access) {
            (Some(_), _) => {}
            (None, Access::Write) => return Ok(()),
            (None, Access::Read) => {
                let reason = "it holds no sweep: `didact sweep` has not written to it".to_owned();
                return Err(StoreError::Open { path: path.to_owned(), reason });
            }
        }
        let (found,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&self.pool).await?;
        match found {
            Some(found) if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
            _ => Ok(()),
        }
    }

    /// A write transaction that takes the write lock at once: a deferred one may lose it half-way.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

fn opening(path: &Path, error: &sqlx::Error) -> StoreError {
    let reason = match error {
        sqlx::Error::Database(inner) if inner.message().contains("not a database") => {
            "it is a file of another kind, not a SQLite database".to_owned()
        }
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        other => other.to_string(),
    };
    StoreError::Open { path: path.to_owned(), reason }
}
