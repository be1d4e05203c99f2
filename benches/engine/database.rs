//! The databases that are measured: a SQLite file, and a PostgreSQL server if `DIDACT_TEST_POSTGRES` names one (`tests/with_postgres.sh`).

use std::path::Path;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// A database of a benchmark.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(String),
    /// A database on a server.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Database {
    /// Creates a database, on the server if there is one.
    pub async fn create(folder: &Path) -> Self {
        #[cfg(feature = "postgres")]
        if let Ok(server) = std::env::var("DIDACT_TEST_POSTGRES") {
            let name = format!("bench{}", std::process::id());
            let mut connection = sqlx::PgConnection::connect(&server).await.expect("the server answers");
            for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
                sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("valid SQL");
            }
            let (server, _) = server.rsplit_once('/').expect("a URL with a database");
            return Self::Postgres(format!("{server}/{name}"));
        }
        Self::Sqlite(folder.join("didact.db").display().to_string())
    }

    /// What `--store` takes.
    pub fn url(&self) -> &str {
        match self {
            Self::Sqlite(path) => path,
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url,
        }
    }

    /// Executes statements, in one transaction.
    pub async fn execute(&self, statements: impl IntoIterator<Item = String>) {
        let statements: Vec<String> = statements.into_iter().collect();
        let all = sqlx::AssertSqlSafe(format!("BEGIN; {}; COMMIT", statements.join("; ")));
        match self {
            Self::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = SqliteConnection::connect_with(&options).await.expect("opens");
                sqlx::raw_sql(all).execute(&mut connection).await.expect("valid SQL");
                connection.close().await.expect("closes");
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("the server answers");
                sqlx::raw_sql(all).execute(&mut connection).await.expect("valid SQL");
                // A server removes old rows and gathers statistics by itself, but not within seconds.
                sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.expect("valid SQL");
                connection.close().await.expect("closes");
            }
        }
    }

    /// SQL of the integer part of a positive number.
    pub fn integer_part(&self, number: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("CAST({number} AS INTEGER)"),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => format!("floor({number})"),
        }
    }
}
