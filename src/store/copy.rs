//! Consistent copies of a store that is in use, in files.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::error::StoreError;
use super::schema::{Content, SCHEMA};
use super::sqlite::{BUSY_TIMEOUT, SqliteError, with_suffix};

/// Copies a store to a file next to it, before its schema is migrated. Returns the path of the copy.
pub(super) async fn keep_copy(path: &Path, schema: i64) -> Result<PathBuf, StoreError> {
    let name = |number: u32| match number {
        1 => with_suffix(path, &format!(".before-{schema}")),
        _ => with_suffix(path, &format!(".before-{schema}-{number}")),
    };
    for number in 1.. {
        let target = name(number);
        match copy(path, &target).await {
            Err(StoreError::Exists { .. }) => {}
            outcome => return outcome.map(|()| target),
        }
    }
    Err(StoreError::Exists { path: name(1) })
}

/// Copies a SQLite file.
pub(super) async fn copy(path: &Path, target: &Path) -> Result<(), StoreError> {
    write_copy(path, target, async |temporary| {
        let mut source = connect(path).await.map_err(failed)?;
        let copied = sqlx::query("VACUUM INTO ?").bind(temporary.to_string_lossy()).execute(&mut source).await;
        let _ = source.close().await;
        copied.map(drop).map_err(failed)
    })
    .await
}

/// Writes a copy of a store to a temporary file, checks that the copy is intact, and only then gives it its final name.
pub(super) async fn write_copy(
    store: &Path,
    target: &Path,
    write: impl AsyncFnOnce(&Path) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    if std::fs::symlink_metadata(target).is_ok() {
        return Err(StoreError::Exists { path: target.to_owned() });
    }
    let temporary = with_suffix(target, &format!(".{}.tmp", std::process::id()));
    let remove = || {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(with_suffix(&temporary, suffix));
        }
    };
    // A killed process with the same id may have left this file.
    remove();
    let written = write(&temporary).await;
    let outcome = match written {
        Ok(()) => finish(&temporary).await.and_then(|()| publish(&temporary, target)),
        Err(error) => Err(error),
    };
    // After success, the temporary name is a second link to the published file. After an error, the file is useless.
    remove();
    outcome.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists { path: target.to_owned() },
        _ => StoreError::Backup { store: store.to_owned(), path: target.to_owned(), source },
    })
}

async fn finish(temporary: &Path) -> std::io::Result<()> {
    crate::fault::point("backup:before-check");
    let mut copy = connect(temporary).await.map_err(failed)?;
    let checked = check(&mut copy).await;
    let _ = copy.close().await;
    checked.map_err(failed)?;
    File::open(temporary)?.sync_all()
}

fn failed(error: sqlx::Error) -> std::io::Error {
    std::io::Error::other(SqliteError(error))
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    options.disable_statement_logging().connect().await
}

async fn check(copy: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let problems: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check").fetch_all(&mut *copy).await?;
    match problems.first() {
        Some((first,)) if first != "ok" => {
            return Err(sqlx::Error::Protocol(format!("the copy is damaged: {first}")));
        }
        _ => {}
    }
    match SCHEMA.content(copy).await? {
        Content::Store(_) => Ok(()),
        _ => Err(sqlx::Error::Protocol("the copy is not a store".to_owned())),
    }
}

/// Gives a file its final name, unless a file with that name exists.
fn publish(temporary: &Path, target: &Path) -> std::io::Result<()> {
    crate::fault::point("backup:before-rename");
    match std::fs::hard_link(temporary, target) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        // The file system does not support hard links.
        Err(_) if std::fs::symlink_metadata(target).is_err() => std::fs::rename(temporary, target)?,
        Err(error) => return Err(error),
    }
    crate::fault::point("backup:after-rename");
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all())
}
