//! Stores on a PostgreSQL server.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgPool, SqlStr};

use super::address;
use super::database::{Durability, Tx};
use super::error::StoreError;
use super::notice;
use super::open::{Access, SERVER_IN_FILE, Store};

/// The schema of this version.
static SCHEMA: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |version, name, sql| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    let statement_triggers = include_str!("../../migrations/postgres/0002_statement_triggers.sql");
    Migrator::with_migrations(vec![
        migration(1, "initial", include_str!("../../migrations/postgres/0001_initial.sql")),
        migration(2, "statement_triggers", statement_triggers),
        migration(3, "slurm", include_str!("../../migrations/postgres/0003_slurm.sql")),
        migration(4, "remarks", include_str!("../../migrations/postgres/0004_remarks.sql")),
    ])
});

/// Oldest version of the server, in the form of its setting `server_version_num`.
const OLDEST_SERVER: i32 = 140_000;

/// A worker gives its connection back while it trains: servers have few.
const IDLE: Duration = Duration::from_secs(5);

/// A server that does not answer for so long is reported. Until then, connecting is retried.
const ANSWER: Duration = Duration::from_secs(10);

/// Settings of a connection. Compiling a query takes longer than running it, and so does planning it again for other values. A process that
/// was stopped, or that the server can no longer reach, must not keep the lock of writers.
const SESSION: &str =
    "SET jit = off; SET plan_cache_mode = force_generic_plan; SET idle_in_transaction_session_timeout = '60s'";

/// A connection that was unused for longer is tested before its next use: the server may have been restarted.
const TRUSTED: Duration = Duration::from_secs(1);

/// Opens a store on a server. Creates its tables if it is opened for writing.
pub(super) async fn open(url: &str, access: Access) -> Result<Store, StoreError> {
    let in_file = url.starts_with(SERVER_IN_FILE);
    let shown = if in_file { url } else { "postgres://…" };
    let options = address::options(url).map_err(|error| failed(shown, error))?;
    // A server that moves keeps its name.
    let name = if in_file { url.to_owned() } else { name(&options) };
    notice::remember_store(PathBuf::from(&name));
    let connections = if access == Access::Serve { 1 } else { 2 };
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(IDLE)
        .acquire_timeout(ANSWER)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move { Ok(used.idle_for < TRUSTED || connection.ping().await.is_ok()) })
        })
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(|_| ()) }))
        .connect_with(options.clone())
        .await
        .map_err(|error| failed(&name, error))?;
    if in_file {
        address::follow(url.to_owned(), &options, pool.clone());
    }
    match prepare(&pool, &name, access).await {
        Ok(()) => Ok(Store::on_server(pool, PathBuf::from(name), access)),
        Err(error) => {
            pool.close().await;
            Err(error)
        }
    }
}

/// Checks the server and the schema, and creates or migrates the tables.
async fn prepare(pool: &PgPool, name: &str, access: Access) -> Result<(), StoreError> {
    let wrong = |error: sqlx::Error| failed(name, error);
    let refuse = |reason: String| StoreError::Server { url: name.to_owned(), source: reason.into() };
    let (version,): (i32,) =
        sqlx::query_as("SELECT current_setting('server_version_num')::int").fetch_one(pool).await.map_err(wrong)?;
    if version < OLDEST_SERVER {
        return Err(refuse(format!("the server has version {}", version / 10_000)));
    }
    let (has_migrations, has_tables): (bool, bool) = sqlx::query_as(
        "SELECT to_regclass('_sqlx_migrations') IS NOT NULL, to_regclass('sweeps') IS NOT NULL OR to_regclass('sweep') IS NOT NULL",
    )
    .fetch_one(pool)
    .await
    .map_err(wrong)?;
    let newest = SCHEMA.iter().map(|migration| migration.version).max().unwrap_or(0);
    let found: i64 = match has_migrations {
        true => sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(pool)
            .await
            .map_err(wrong)?,
        false if has_tables => return Err(refuse("it has tables of another program; use another database".to_owned())),
        false => 0,
    };
    if found > newest {
        return Err(StoreError::Newer { path: PathBuf::from(name), found, known: newest });
    }
    if found == 0 && access != Access::Write {
        return Err(StoreError::Absent { path: PathBuf::from(name) });
    }
    if found < newest {
        // Processes that open the store at the same moment wait for each other.
        SCHEMA.run(pool).await.map_err(|error| refuse(error.to_string()))?;
    }
    Ok(())
}

/// Begins a write transaction. Writers wait for each other, as with SQLite.
///
/// The lock is that of a table which nobody changes: a statement that waits for it has no snapshot. With one, the server could not remove
/// old versions of rows while any writer waits, and the queue of stages would become slow.
pub(super) async fn begin(pool: &PgPool, durability: Durability) -> Result<Tx, StoreError> {
    let statement = match durability {
        Durability::Full => "BEGIN; LOCK TABLE store IN EXCLUSIVE MODE",
        Durability::Relaxed => "BEGIN; SET LOCAL synchronous_commit = off; LOCK TABLE store IN EXCLUSIVE MODE",
    };
    Ok(Tx::Postgres(pool.begin_with(statement).await?))
}

/// Begins a transaction that sees the store as it is now.
pub(super) async fn snapshot(pool: &PgPool) -> Result<Tx, StoreError> {
    Ok(Tx::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?))
}

/// Returns the URL without its password and options.
fn name(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("postgres://{}@{}:{}/{database}", options.get_username(), options.get_host(), options.get_port())
}

fn failed(name: &str, error: sqlx::Error) -> StoreError {
    StoreError::Server { url: name.to_owned(), source: error.into() }
}
