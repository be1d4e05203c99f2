//! Opens stores.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::bulk::ROW_BUFFER;
use super::database::{Durability, Pool, Tx};
use super::error::StoreError;
use super::filesystem::{Identity, can_write, network_file_system};
use super::log::log_is_missing;
use super::migrate::bring_up_to_date;
use super::notice;
use super::schema::{Content, SCHEMA};
use super::sqlite::{BUSY_TIMEOUT, is_locked, with_suffix};

/// Purpose for which a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For sweeps. Creates and migrates the store if necessary.
    Write,
    /// For workers and other processes that serve an existing sweep. Writes to the store but never creates it: a worker that starts
    /// just after the store was deleted must not create an empty one.
    Serve,
    /// For status and reports. Never disturbs a sweep and never creates a file.
    Read,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: Pool,
    path: PathBuf,
    /// Identity of the opened file. SQLite would continue to write to a deleted file.
    pub(super) identity: Option<Identity>,
    access: Access,
}

/// The stores that this process must close properly before it ends.
static OPEN: Mutex<Vec<Store>> = Mutex::new(Vec::new());

fn open_stores() -> MutexGuard<'static, Vec<Store>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the stores that this process opened and clears the list.
pub(super) fn take_open() -> Vec<Store> {
    std::mem::take(&mut *open_stores())
}

impl Store {
    /// Opens a store given as `sqlite:PATH`, `PATH`, or `postgres://USER@HOST/DATABASE`.
    pub async fn open(url: &str, access: Access) -> Result<Self, StoreError> {
        let store = match is_server(url) {
            true => open_server(url, access).await?,
            false => Self::open_file(path_of(url).to_owned(), access).await?,
        };
        if notice::has_listener() {
            open_stores().push(store.clone());
        }
        Ok(store)
    }

    async fn open_file(path: PathBuf, access: Access) -> Result<Self, StoreError> {
        notice::remember_store(path.clone());
        let store = match access {
            Access::Write => Self::open_for_writing(path, PLAN_CACHE).await,
            Access::Serve if !path.is_file() => Err(StoreError::Absent { path }),
            Access::Serve => Self::open_for_writing(path, CACHE).await,
            Access::Read => Self::open_for_reading(path).await,
        }?;
        Ok(Self { identity: Identity::of(&store.path), ..store })
    }

    /// Wraps the connections to a server.
    #[cfg(feature = "postgres")]
    pub(super) fn on_server(pool: sqlx::PgPool, name: PathBuf, access: Access) -> Self {
        Self { pool: Pool::Postgres(pool), path: name, identity: None, access }
    }

    async fn open_for_writing(path: PathBuf, cache: &'static str) -> Result<Self, StoreError> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refuse = |reason: String| StoreError::Open { path: path.clone(), source: reason.into() };
        if let Some(name) = network_file_system(folder) {
            return Err(refuse(format!(
                "it is on {name}, a network file system, where SQLite loses writes (artifacts may be on a network file system: \
                 --artifacts)"
            )));
        }
        if folder.is_dir() && !can_write(folder) {
            return Err(refuse(format!("the folder {} cannot be written", folder.display())));
        }
        let missing = log_is_missing(&path).await;
        // The file keeps its journal mode: a file of another program must not be changed in any way.
        let plain = SqliteConnectOptions::new().filename(&path).create_if_missing(true).busy_timeout(BUSY_TIMEOUT);
        let plain = plain.disable_statement_logging();
        let found = retry_while(
            async || {
                let mut connection = plain.connect().await.map_err(|error| StoreError::opening(&path, error))?;
                let found = bring_up_to_date(&SCHEMA, &mut connection, &path).await;
                let _ = connection.close().await;
                found
            },
            StoreError::is_locked,
        )
        .await?;
        refuse_unsupported(&path, &found)?;
        warn_missing_log(&path, &found, missing);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .synchronous(SqliteSynchronous::Normal)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", cache)
            .foreign_keys(true);
        let pool = connect(&path, options).await?;
        Ok(Self { pool: Pool::Sqlite(pool), path, identity: None, access: Access::Write })
    }

    async fn open_for_reading(path: PathBuf) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Absent { path });
        }
        let missing = log_is_missing(&path).await;
        let options =
            // The file states its own journal mode; setting the mode would write to the file.
            SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let mut pool = connect(&path, options.clone()).await?;
        // In a read-only folder SQLite cannot create the log's index. No other process can write there either.
        if content(&pool, &path).await.is_err() && !with_suffix(&path, "-wal").exists() {
            pool = connect(&path, options.immutable(true)).await?;
        }
        let found = content(&pool, &path).await?;
        if let Err(error) = refuse_unsupported(&path, &found) {
            pool.close().await;
            return Err(error);
        }
        match found {
            Content::Store(version) if version < SCHEMA.newest() => {
                // Queries need the newest schema. Migrations only add to it, so they do not disturb a running sweep of an older didact.
                pool.close().await;
                Self::open_for_writing(path, CACHE).await
            }
            Content::Store(_) => {
                warn_missing_log(&path, &found, missing);
                Ok(Self { pool: Pool::Sqlite(pool), path, identity: None, access: Access::Read })
            }
            Content::Nothing | Content::Earlier | Content::Foreign(_) => {
                let source = "it contains no sweep; run `didact sweep` first".into();
                Err(StoreError::Open { path, source })
            }
        }
    }

    /// Returns whether the store was opened for writing.
    pub fn can_write(&self) -> bool {
        self.access != Access::Read
    }

    /// Begins a write transaction that takes the write lock at once. A deferred transaction could fail to get the lock later.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if the store's file was deleted or replaced: writes would be lost.
    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        self.begin(Durability::Full).await
    }

    /// Begins a write transaction that may be lost if the machine fails, such as a claim: work is then repeated, and nothing else.
    pub(super) async fn write_relaxed(&self) -> Result<Tx, StoreError> {
        self.begin(Durability::Relaxed).await
    }

    async fn begin(&self, durability: Durability) -> Result<Tx, StoreError> {
        self.check_identity()?;
        match (&self.pool, durability) {
            (Pool::Sqlite(pool), Durability::Full | Durability::Relaxed) => {
                Ok(Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?))
            }
            #[cfg(feature = "postgres")]
            (Pool::Postgres(pool), durability) => super::postgres::begin(pool, durability).await,
        }
    }

    /// Begins a transaction that only reads, and sees the store as it is now.
    pub(super) async fn snapshot(&self) -> Result<Tx, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => Ok(Tx::Sqlite(pool.begin().await?)),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => super::postgres::snapshot(pool).await,
        }
    }

    /// Checks that the opened file is still at its path.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if it is not.
    pub fn check_identity(&self) -> Result<(), StoreError> {
        match self.identity.is_some() && Identity::of(&self.path) != self.identity {
            true => Err(StoreError::Replaced { path: self.path.clone() }),
            false => Ok(()),
        }
    }

    /// Path of the store.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    // Slow statements are not logged: they do not concern people who run a sweep.
    let options = options.disable_statement_logging().row_buffer_size(ROW_BUFFER);
    let pool_options = SqlitePoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(60))
        // If the disk is full, SQLite rolls back by itself, but sqlx still counts the transaction as open. No new transaction could
        // begin on that connection.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
    // While another process creates or removes the log, SQLite returns an error at once, whatever the timeout.
    let connect = async || pool_options.clone().connect_with(options.clone()).await;
    retry_while(connect, is_locked).await.map_err(|error| StoreError::opening(path, error))
}

async fn content(pool: &SqlitePool, path: &Path) -> Result<Content, StoreError> {
    let mut connection = pool.acquire().await.map_err(|error| StoreError::opening(path, error))?;
    SCHEMA.content(&mut connection).await.map_err(|error| StoreError::opening(path, error))
}

#[cfg(feature = "postgres")]
async fn open_server(url: &str, access: Access) -> Result<Store, StoreError> {
    super::postgres::open(url, access).await
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "its other form waits for the server")]
async fn open_server(_: &str, _: Access) -> Result<Store, StoreError> {
    Err(StoreError::NoPostgres)
}

/// Page cache per connection in KiB (a negative number means KiB instead of pages).
const CACHE: &str = "-65536";

/// Page cache of a process that writes plans: a plan of many runs touches pages all over the file.
const PLAN_CACHE: &str = "-262144";

/// Several processes may open a store at the same moment. Each retries an error that may pass up to this many times.
const TRIES: usize = 300;
const PAUSE: Duration = Duration::from_millis(100);

async fn retry_while<T, E>(attempt: impl AsyncFn() -> Result<T, E>, is_temporary: impl Fn(&E) -> bool) -> Result<T, E> {
    for _ in 1..TRIES {
        match attempt().await {
            Err(error) if is_temporary(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    attempt().await
}

fn refuse_unsupported(path: &Path, found: &Content) -> Result<(), StoreError> {
    match found {
        Content::Foreign(what) => Err(StoreError::Foreign { path: path.to_owned(), what: what.clone() }),
        Content::Store(found) if *found > SCHEMA.newest() => {
            Err(StoreError::Newer { path: path.to_owned(), found: *found, known: SCHEMA.newest() })
        }
        Content::Earlier => Err(StoreError::Earlier { path: path.to_owned() }),
        Content::Store(_) | Content::Nothing => Ok(()),
    }
}

fn warn_missing_log(path: &Path, found: &Content, missing: bool) {
    if missing && matches!(found, Content::Store(_)) {
        notice::show(&format!(
            "warning: the store {0} was copied while it was in use, or was not closed properly: its log {0}-wal is missing, and the latest \
             writes may be lost (use `didact store backup FILE` to copy a store in use)",
            path.display()
        ));
    }
}

/// What the address of a server begins with if its URL is in a file. The path of the file follows.
pub const SERVER_IN_FILE: &str = "postgres-file:";

/// Returns whether a URL names a PostgreSQL server, or a file that contains its URL.
pub fn is_server(url: &str) -> bool {
    ["postgres://", "postgresql://", SERVER_IN_FILE].iter().any(|scheme| url.starts_with(scheme))
}

/// Returns the file path in a URL.
pub fn path_of(url: &str) -> &Path {
    Path::new(url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url))
}
