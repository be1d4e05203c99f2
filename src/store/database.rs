//! The databases that a store can be: a SQLite file, or a PostgreSQL server.

#[cfg(feature = "postgres")]
use sqlx::{PgPool, Postgres};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::StoreError;
use super::sql::{Kind, sql};

/// Connections to the database of a store.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

impl Pool {
    /// Returns the connections to a SQLite file. `None` if the store is on a server.
    pub(super) fn sqlite(&self) -> Option<&SqlitePool> {
        match self {
            Self::Sqlite(pool) => Some(pool),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// What a commit on a server waits for. A commit to a SQLite file never waits for the disk: a power failure undoes the last ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk of the server.
    Full,
    /// Nothing. If the server's machine fails within a second, the transaction may be undone.
    Relaxed,
}

/// A transaction: one that writes, while no other one does, or a snapshot to read.
#[derive(Debug)]
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Commits the transaction. Without a commit, it is rolled back when it is dropped.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
    /// Returns the columns of a table, in order, with their types.
    pub(super) async fn columns(&mut self, table: &str) -> Result<Vec<(String, Kind)>, StoreError> {
        let query = match self {
            Self::Sqlite(_) => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            }
        };
        let columns: Vec<(String, String)> = sql(query).bind(table).all(self).await?;
        let kind = |name: &str| match name.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Kind::Integer,
            "real" | "double precision" => Kind::Real,
            _ => Kind::Text,
        };
        Ok(columns.into_iter().map(|(name, of)| (name, kind(&of))).collect())
    }

    /// Tells the server how many rows its tables have now. It learns so by itself, but only a minute later, and until then reads whole tables
    /// where an index would do. SQLite chooses indexes by the form of a statement.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "its other form waits for the server"))]
    pub(super) async fn gather_statistics(&mut self) -> Result<(), StoreError> {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(_) = self {
            sql("ANALYZE").execute(self).await?;
        }
        Ok(())
    }

    /// Continues the ids that the database gives after the highest ones that are there. SQLite does so by itself.
    pub(super) async fn continue_ids(&mut self) -> Result<(), StoreError> {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(_) = self {
            for table in ["attempts", "event"] {
                sql(format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"))
                    .execute(self)
                    .await?;
            }
        }
        Ok(())
    }
}
