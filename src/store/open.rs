//! Opening a store.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqlitePool, Transaction};

use super::error::StoreError;
use super::filesystem::{Identity, can_write, network_file_system};
use super::log::log_is_missing;
use super::migrate::bring_up_to_date;
use super::notice;
use super::schema::{Content, SCHEMA};
use super::sqlite::{BUSY_TIMEOUT, beside, is_locked};

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
    pub(super) identity: Option<Identity>,
    access: Access,
}

/// The stores that this process leaves in good order before it ends.
static OPEN: Mutex<Vec<Store>> = Mutex::new(Vec::new());

fn open_stores() -> MutexGuard<'static, Vec<Store>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stores that this process has opened, each told once.
pub(super) fn take_open() -> Vec<Store> {
    std::mem::take(&mut *open_stores())
}

impl Store {
    /// Opens `sqlite:PATH` or `PATH`.
    pub async fn open(url: &str, access: Access) -> Result<Self, StoreError> {
        let path = path_of(url).to_owned();
        notice::name(path.clone());
        let store = match access {
            Access::Write => Self::open_for_writing(path).await,
            Access::Serve if !path.is_file() => Err(StoreError::Absent { path }),
            Access::Serve => Self::open_for_writing(path).await,
            Access::Read => Self::open_for_reading(path).await,
        }?;
        let store = Self { identity: Identity::of(&store.path), ..store };
        if notice::is_heard() {
            open_stores().push(store.clone());
        }
        Ok(store)
    }

    async fn open_for_writing(path: PathBuf) -> Result<Self, StoreError> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refuse = |reason: String| StoreError::Open { path: path.clone(), source: reason.into() };
        if let Some(name) = network_file_system(folder) {
            return Err(refuse(format!(
                "it lies on {name}, a file system of several machines, where SQLite loses writes (artifacts may stay there: \
                 --artifacts)"
            )));
        }
        if folder.is_dir() && !can_write(folder) {
            return Err(refuse(format!("the folder {} cannot be written", folder.display())));
        }
        let missing = log_is_missing(&path).await;
        // In the mode that the file has: one of another program must not be changed in any way.
        let plain = SqliteConnectOptions::new().filename(&path).create_if_missing(true).busy_timeout(BUSY_TIMEOUT);
        let plain = plain.disable_statement_logging();
        let found = patiently(
            async || {
                let mut connection = plain.connect().await.map_err(|error| StoreError::opening(&path, error))?;
                let found = bring_up_to_date(&SCHEMA, &mut connection, &path).await;
                let _ = connection.close().await;
                found
            },
            StoreError::is_locked,
        )
        .await?;
        refuse_strange(&path, &found)?;
        tell_missing_log(&path, &found, missing);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .synchronous(SqliteSynchronous::Normal)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE)
            .foreign_keys(true);
        Self::connect(path, options, Access::Write).await
    }

    async fn open_for_reading(path: PathBuf) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Absent { path });
        }
        let missing = log_is_missing(&path).await;
        let options =
            // The file says its own journal mode; setting it would write.
            SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let store = Self::connect(path.clone(), options.clone(), Access::Read).await?;
        let store = match store.content().await {
            // In a folder that cannot be written the log's index cannot be made, but nobody can write there either.
            Err(_) if !beside(&path, "-wal").exists() => {
                Self::connect(path, options.immutable(true), Access::Read).await?
            }
            _ => store,
        };
        let found = store.content().await?;
        if let Err(error) = refuse_strange(&store.path, &found) {
            store.pool.close().await;
            return Err(error);
        }
        match found {
            Content::Store(version) if version < SCHEMA.newest() => {
                // Queries speak of the newest schema; migrations only add, so a sweep of an older didact is not disturbed.
                let path = store.path.clone();
                store.pool.close().await;
                Self::open_for_writing(path).await
            }
            Content::Store(_) => {
                tell_missing_log(&store.path, &found, missing);
                Ok(store)
            }
            Content::Nothing | Content::Earlier | Content::Foreign(_) => {
                let source = "it holds no sweep: `didact sweep` has not written to it".into();
                Err(StoreError::Open { path: store.path, source })
            }
        }
    }

    async fn connect(path: PathBuf, options: SqliteConnectOptions, access: Access) -> Result<Self, StoreError> {
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
        let pool = patiently(connect, is_locked).await.map_err(|error| StoreError::opening(&path, error))?;
        Ok(Self { pool, path, identity: None, access })
    }

    async fn content(&self) -> Result<Content, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|error| StoreError::opening(&self.path, error))?;
        SCHEMA.content(&mut connection).await.map_err(|error| StoreError::opening(&self.path, error))
    }

    /// Whether it was opened to be written to.
    pub fn can_write(&self) -> bool {
        self.access != Access::Read
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

/// Several processes may open one store at the same moment: each tries so often what fails for a reason that may pass.
const TRIES: usize = 300;
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

fn refuse_strange(path: &Path, found: &Content) -> Result<(), StoreError> {
    match found {
        Content::Foreign(what) => Err(StoreError::Foreign { path: path.to_owned(), what: what.clone() }),
        Content::Store(found) if *found > SCHEMA.newest() => {
            Err(StoreError::Newer { path: path.to_owned(), found: *found, known: SCHEMA.newest() })
        }
        Content::Earlier => Err(StoreError::Earlier { path: path.to_owned() }),
        Content::Store(_) | Content::Nothing => Ok(()),
    }
}

fn tell_missing_log(path: &Path, found: &Content, missing: bool) {
    if missing && matches!(found, Content::Store(_)) {
        notice::tell(&format!(
            "warning: the store {0} was copied while it was in use, or not left in good order, and its log {0}-wal is missing: what was \
             written last may be lost (`didact store backup FILE` copies a store that is in use)",
            path.display()
        ));
    }
}

/// The file that a URL names.
pub fn path_of(url: &str) -> &Path {
    Path::new(url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url))
}
