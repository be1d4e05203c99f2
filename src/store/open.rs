//! Opening a store.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlStr, Sqlite, SqlitePool, Transaction};

use super::StoreError;
use super::filesystem::{Identity, can_write, network_file_system};

/// The schema, step by step. (sqlx's own macro would have SQLite compiled a second time, for the compiler's use.)
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let steps = [
        (1, "initial", include_str!("../../migrations/0001_initial.sql")),
        (2, "engine", include_str!("../../migrations/0002_engine.sql")),
        (4, "sweeps", include_str!("../../migrations/0004_sweeps.sql")),
    ];
    let migration = |(version, name, sql)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(steps.map(migration).into())
});

/// A write transaction.
pub(super) type Tx = Transaction<'static, Sqlite>;

/// What the store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sweeps: created and migrated if need be.
    Write,
    /// Workers and all that serves a sweep that is there: written to, never created. A worker that is started when the store has
    /// just been deleted must not leave an empty one.
    Serve,
    /// Status and reports: never disturbs a sweep, never creates a file.
    Read,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: SqlitePool,
    path: PathBuf,
    /// The file that was opened: SQLite would go on writing to one that was deleted.
    identity: Option<Identity>,
}

impl Store {
    /// Opens `sqlite:PATH` or `PATH`.
    pub async fn open(url: &str, access: Access) -> Result<Self, StoreError> {
        let path = PathBuf::from(url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url));
        match access {
            Access::Write => Self::open_for_writing(path).await,
            Access::Serve if !path.is_file() => Err(StoreError::Absent { path }),
            Access::Serve => Self::open_for_writing(path).await,
            Access::Read => Self::open_for_reading(path).await,
        }
    }

    async fn open_for_writing(path: PathBuf) -> Result<Self, StoreError> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refuse = |reason: String| StoreError::Open { path: path.clone(), reason };
        if let Some(name) = network_file_system(folder) {
            return Err(refuse(format!(
                "it lies on {name}, a file system of several machines, where SQLite loses writes (artifacts may stay there: \
                 --artifacts)"
            )));
        }
        if folder.is_dir() && !can_write(folder) {
            return Err(refuse(format!("the folder {} cannot be written", folder.display())));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Normal)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE)
            .foreign_keys(true);
        let store = Self::connect(path, options).await?;
        if let Some(version) = store.version().await? {
            store.refuse_newer(version)?;
        }
        store.migrate().await?;
        Ok(Self { identity: Identity::of(&store.path), ..store })
    }

    async fn open_for_reading(path: PathBuf) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Absent { path });
        }
        let options =
            // The file says its own journal mode; setting it would write.
            SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let store = match Self::connect(path.clone(), options.clone()).await {
            Ok(store) => match store.version().await {
                // In a folder that cannot be written the log's index cannot be made, but nobody can write there either.
                Err(_) if !beside(&path, "-wal").exists() => Self::connect(path, options.immutable(true)).await?,
                _ => store,
            },
            Err(error) => return Err(error),
        };
        match store.version().await? {
            None => {
                let reason = "it holds no sweep: `didact sweep` has not written to it".to_owned();
                Err(StoreError::Open { path: store.path, reason })
            }
            Some(version) if version < newest() => {
                // Queries speak of the newest schema; migrations only add, so a sweep of an older didact is not disturbed.
                let path = store.path.clone();
                store.pool.close().await;
                Self::open_for_writing(path).await
            }
            Some(version) => {
                store.refuse_newer(version)?;
                Ok(store)
            }
        }
    }

    async fn connect(path: PathBuf, options: SqliteConnectOptions) -> Result<Self, StoreError> {
        // A slow statement is the machine's affair, not news for those who run a sweep.
        let options = options.disable_statement_logging();
        let pool_options = SqlitePoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(60))
            // Where a disk is full SQLite rolls back by itself, and sqlx counts the transaction as open for ever: nothing could be
            // begun on that connection any more.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        // While another process makes the file's log or takes it away SQLite does not wait, whatever the timeout.
        let connect = async || pool_options.clone().connect_with(options.clone()).await;
        let pool = patiently(connect, is_locked).await.map_err(|error| opening(&path, &error))?;
        Ok(Self { pool, path, identity: None })
    }

    /// Brings the schema up to date. Two processes may create one store at the same moment: the one that comes second finds the
    /// other's tables half-way, waits, and finds nothing left to do.
    async fn migrate(&self) -> Result<(), StoreError> {
        patiently(async || MIGRATIONS.run(&self.pool).await, |_| true).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => opening(&self.path, &error),
            other => StoreError::Open { path: self.path.clone(), reason: other.to_string() },
        })
    }

    /// The newest migration that the store has seen; none for a database that is no store.
    async fn version(&self) -> Result<Option<i64>, StoreError> {
        let tracked: Option<(String,)> =
            sqlx::query_as("SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'")
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| opening(&self.path, &error))?;
        if tracked.is_none() {
            return Ok(None);
        }
        let (version,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&self.pool).await?;
        Ok(version)
    }

    fn refuse_newer(&self, found: i64) -> Result<(), StoreError> {
        match newest() {
            known if found > known => Err(StoreError::Newer { path: self.path.clone(), found, known }),
            _ => Ok(()),
        }
    }

    /// A write transaction that takes the write lock at once: a deferred one may lose it half-way.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if another file stands at the store's path by now: what is written would be lost.
    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        self.check_identity()?;
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Whether the file that was opened still stands at its path.
    ///
    /// # Errors
    /// [`StoreError::Replaced`].
    pub fn check_identity(&self) -> Result<(), StoreError> {
        match self.identity.is_some() && Identity::of(&self.path) != self.identity {
            true => Err(StoreError::Replaced { path: self.path.clone() }),
            false => Ok(()),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// KiB of pages that a connection may keep (the sign says that it is no number of pages): a plan of many runs is written to places
/// all over the file.
const CACHE: &str = "-65536";

/// How long a writer waits for the others.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Several processes may open one store at the same moment: each tries so often what fails for a reason that may pass.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

async fn patiently<T, E>(attempt: impl AsyncFn() -> Result<T, E>, may_pass: impl Fn(&E) -> bool) -> Result<T, E> {
    for _ in 1..TRIES {
        match attempt().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    attempt().await
}

/// SQLITE_BUSY in all its forms.
fn is_locked(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.message().contains("database is locked"))
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
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
