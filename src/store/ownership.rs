//! Ownership of an artifacts folder or of a place in an object store. The folder stores the id of its store, and no other store writes to it or removes files from it.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::filesystem::Identity;
use super::sql::sql;
use super::{Artifacts, Store, StoreError};

/// Name of the file that identifies the owner of a folder.
pub(super) const MARKER: &str = "store.json";

/// Content of the marker file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// Id of the store. It stays the same when the store is moved or copied.
    id: String,
    /// Path of the store when it last used the folder.
    store: PathBuf,
    /// Path of the folder at that time.
    folder: PathBuf,
}

impl Store {
    /// Returns the id of the store. A copy of the store has the same id.
    pub async fn id(&self) -> Result<String, StoreError> {
        sql("SELECT id FROM store").value(self).await
    }

    /// Makes this store the owner of an artifacts folder, or checks that it already is.
    ///
    /// # Errors
    /// [`StoreError::OtherOwner`] if the folder belongs to another store.
    pub async fn take_ownership(&self, artifacts: &Artifacts) -> Result<(), StoreError> {
        let root = artifacts.root();
        let wrong = |source| StoreError::Artifact { path: artifacts.place().to_owned(), source };
        let id = self.id().await?;
        std::fs::create_dir_all(root).map_err(wrong)?;
        let folder = match artifacts.are_remote() {
            true => artifacts.place().to_owned(),
            false => root.canonicalize().map_err(wrong)?,
        };
        let store = match self.pool.sqlite() {
            Some(_) => self.path().canonicalize().map_err(wrong)?,
            None => self.path().to_owned(),
        };
        let ours = Marker { id, store, folder };
        // Repeats only if several processes start at the same moment.
        for _ in 0..10 {
            let found = read(artifacts).map_err(wrong)?;
            match &found {
                Some(found) if *found == ours => {
                    remove_unfinished_markers(root, &ours.id);
                    return Ok(());
                }
                Some(found) => refuse_other_owner(found, &ours, artifacts.place()).await?,
                None => {}
            }
            match write(artifacts, &ours, found.is_some()) {
                Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {}
                // Stages also wait until the disk has space. The next process marks the folder.
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    remove_unfinished_markers(root, &ours.id);
                    tracing::debug!(%error, "cannot write the owner of the artifacts folder yet");
                    return Ok(());
                }
                Err(error) => return Err(wrong(error)),
                Ok(()) => {}
            }
        }
        Err(wrong(io::Error::other("other processes keep changing the owner of this folder")))
    }
}

/// Refuses a folder that another store uses. A folder that was moved or copied together with its store is accepted.
async fn refuse_other_owner(found: &Marker, ours: &Marker, root: &Path) -> Result<(), StoreError> {
    let refuse = |owner: String, remedy: &str| {
        Err(StoreError::OtherOwner { folder: root.to_owned(), owner, remedy: remedy.to_owned() })
    };
    // At the same path, a store that was created again keeps its folder. So does an older copy of the store, made before it had an id.
    if found.store == ours.store {
        return Ok(());
    }
    if found.id != ours.id {
        return refuse(
            format!("another store ({})", found.store.display()),
            "Name another folder (--artifacts or DIDACT_ARTIFACTS). If that store no longer exists, remove this folder",
        );
    }
    if found.folder == ours.folder && is_store(&found.store, ours).await {
        return refuse(
            format!("{}, the store from which {} was copied", found.store.display(), ours.store.display()),
            "Give the copy its own folder (--artifacts DIR): a copy of this folder, or a new one",
        );
    }
    Ok(())
}

/// Returns whether the store with this id still exists at a path, as a different file from ours. An unreadable file counts as existing.
async fn is_store(path: &Path, ours: &Marker) -> bool {
    if !path.is_file() || Identity::of(path) == Identity::of(&ours.store) {
        return false;
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let Ok(mut connection) = options.disable_statement_logging().connect().await else { return true };
    let id: Result<Option<(String,)>, _> = sqlx::query_as("SELECT id FROM store").fetch_optional(&mut connection).await;
    let _ = connection.close().await;
    !matches!(id, Ok(Some((id,))) if id != ours.id)
}

/// Reads the marker of a folder. Returns `None` if the marker is missing or incomplete.
fn read(artifacts: &Artifacts) -> io::Result<Option<Marker>> {
    let text = match artifacts.remote() {
        Some(remote) => remote.objects().get(MARKER)?,
        None => match std::fs::read(artifacts.root().join(MARKER)) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            text => Some(text?),
        },
    };
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Writes the marker atomically. Never overwrites the marker of another store unless `replaces` is set.
fn write(artifacts: &Artifacts, marker: &Marker, replaces: bool) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(marker).map_err(io::Error::other)?;
    if let Some(remote) = artifacts.remote() {
        return match replaces {
            true => remote.objects().put(MARKER, &text),
            false if remote.objects().create(MARKER, &text)? => Ok(()),
            false => Err(ErrorKind::AlreadyExists.into()),
        };
    }
    let root = artifacts.root();
    let path = root.join(MARKER);
    let temporary = root.join(format!("{MARKER}.{}.{}.tmp", marker.id, std::process::id()));
    let mut file = File::create(&temporary)?;
    file.write_all(&text)?;
    file.sync_all()?;
    crate::fault::point("own:before-rename");
    let is_unfinished = path.exists() && read(artifacts)?.is_none();
    let outcome = match replaces || is_unfinished {
        true => std::fs::rename(&temporary, &path),
        false => match std::fs::hard_link(&temporary, &path) {
            // The file system does not support hard links.
            Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => {
                std::fs::rename(&temporary, &path)
            }
            outcome => outcome,
        },
    };
    crate::fault::point("own:after-rename");
    let _ = std::fs::remove_file(&temporary);
    outcome?;
    File::open(root)?.sync_all()
}

/// Removes marker files that processes of this store did not finish writing.
fn remove_unfinished_markers(root: &Path, id: &str) {
    let prefix = format!("{MARKER}.{id}.");
    for entry in std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
