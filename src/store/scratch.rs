//! Copies of artifacts on a disk of this machine, for artifacts on shared file systems and in object stores.
//!
//! A file of a shared file system may vanish or change under a reader that has mapped it. Each page that is not in memory comes over the
//! network. A stage therefore reads copies. All workers of a machine share them, and the last worker removes them.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::artifacts::{copy_tree, verify};
use super::manifest::VerifyScope;
use super::{Artifacts, Damage, StoreError};
use crate::stages::{ArtifactFolders, Key, StageKind};

/// Name of the file that the workers of a machine lock together while they use the copies.
const USERS: &str = "users.lock";

/// Copies of one store's artifacts.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    artifacts: Artifacts,
    /// Locked together with the other workers of this machine.
    users: File,
}

impl ArtifactFolders for Scratch {
    /// Returns the folder of an intact copy. If no copy can be made, returns the artifact itself: the disk may be full.
    fn folder(&self, stage: &str, key: &Key) -> PathBuf {
        let original = self.artifacts.folder(stage, key);
        // Then the folder is below `root` already.
        if self.artifacts.are_remote() {
            return original;
        }
        let Some(kind) = StageKind::named(stage) else { return original };
        match self.copy(kind, key) {
            Ok(copy) => copy,
            Err(error) => {
                tracing::warn!(%error, "cannot copy {} to {}; reading the original", original.display(), self.root.display());
                original
            }
        }
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
enum NoCopy {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

impl Scratch {
    /// Uses a folder below `folder` for copies of a store's artifacts. `store` is the id of the store.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn open(folder: &Path, store: &str, artifacts: &Artifacts) -> Result<Self, StoreError> {
        let root = folder.join(format!("didact-{store}"));
        let wrong = |source| StoreError::Artifact { path: root.clone(), source };
        // Repeats only if another worker is removing the folder at the same moment.
        loop {
            std::fs::create_dir_all(&root).map_err(wrong)?;
            let users = match File::create(root.join(USERS)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                created => created.map_err(wrong)?,
            };
            users.lock_shared().map_err(wrong)?;
            if root.join(USERS).exists() {
                let artifacts = match artifacts.are_remote() {
                    true => artifacts.copied_to(root.clone()),
                    false => artifacts.clone(),
                };
                return Ok(Self { root, artifacts, users });
            }
        }
    }

    /// The artifacts, with this folder for copies if they are in an object store.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// Returns an intact copy of an artifact, and makes it if there is none.
    fn copy(&self, kind: StageKind, key: &Key) -> Result<PathBuf, NoCopy> {
        let copy = self.root.join(Artifacts::relative(kind, key));
        let is_intact = |folder: &Path| verify(folder, kind.spare(), None, VerifyScope::Digests);
        if copy.is_dir() {
            match is_intact(&copy) {
                Ok(()) => return Ok(copy),
                Err(damage) => {
                    tracing::warn!("{damage}; copying it again");
                    self.discard(&copy)?;
                }
            }
        }
        let temporary = self.temporary();
        let made = self.make(&self.artifacts.path(kind, key), &temporary, is_intact).and_then(|()| {
            copy.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            match std::fs::rename(&temporary, &copy) {
                // Another worker was faster.
                Err(_) if copy.is_dir() => Ok(is_intact(&copy)?),
                renamed => Ok(renamed?),
            }
        });
        // On failure, only disk space of this machine is lost until the workers end.
        let _ = std::fs::remove_dir_all(&temporary);
        made.map(|()| copy)
    }

    fn make(
        &self,
        original: &Path,
        temporary: &Path,
        is_intact: impl Fn(&Path) -> Result<(), Damage>,
    ) -> Result<(), NoCopy> {
        std::fs::create_dir_all(temporary)?;
        copy_tree(original, temporary)?;
        crate::fault::point("scratch:before-rename");
        Ok(is_intact(temporary)?)
    }

    /// Removes a damaged copy. Processes that have mapped its files keep them.
    fn discard(&self, copy: &Path) -> io::Result<()> {
        let aside = self.temporary();
        match std::fs::rename(copy, &aside) {
            Ok(()) => std::fs::remove_dir_all(aside),
            // Another worker was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn temporary(&self) -> PathBuf {
        self.root.join(format!("{}.tmp", uuid::Uuid::now_v7()))
    }
}

impl Drop for Scratch {
    /// Removes the copies if no other worker of this machine uses them.
    fn drop(&mut self) {
        let _ = self.users.unlock();
        match self.users.try_lock() {
            Ok(()) => drop(std::fs::remove_dir_all(&self.root)),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An artifacts folder with one artifact of one file.
    fn artifacts(root: &Path) -> (Artifacts, Key) {
        let artifacts = Artifacts::new(root.join("a"));
        let key = Key::of("test", 1, &serde_json::json!(1));
        let temporary = artifacts.create_temporary("one").expect("created");
        std::fs::write(temporary.join("file"), "content").expect("written");
        artifacts.publish(&temporary, StageKind::Score, &key).expect("published");
        (artifacts, key)
    }

    fn read(folders: &dyn ArtifactFolders, key: &Key) -> String {
        std::fs::read_to_string(folders.folder("score", key).join("file")).expect("a file")
    }

    #[test]
    fn copies_are_verified_shared_and_removed_by_the_last_worker() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (artifacts, key) = artifacts(root.path());
        let scratch = || Scratch::open(&root.path().join("s"), "id", &artifacts).expect("opens");
        let (one, other) = (scratch(), scratch());
        let copy = one.folder("score", &key);
        assert!(copy.starts_with(root.path().join("s/didact-id")), "{}", copy.display());
        assert_eq!(other.folder("score", &key), copy);
        assert_eq!(read(&one, &key), "content");
        // Damage of the same length, and of another.
        for damage in ["CONTENT", ""] {
            std::fs::write(copy.join("file"), damage).expect("written");
            assert_eq!(read(&other, &key), "content");
        }
        drop(one);
        assert!(copy.is_dir(), "another worker uses it");
        drop(other);
        assert!(!root.path().join("s/didact-id").exists());
        assert_eq!(read(&scratch(), &key), "content", "and it can be made again");
    }

    #[test]
    fn without_a_copy_the_original_is_read() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (artifacts, key) = artifacts(root.path());
        let scratch = Scratch::open(&root.path().join("s"), "id", &artifacts).expect("opens");
        // A file where the copies of a kind should be: as if the disk were full.
        std::fs::write(root.path().join("s/didact-id/score"), "").expect("written");
        assert_eq!(scratch.folder("score", &key), artifacts.folder("score", &key));
        assert_eq!(read(&scratch, &key), "content");
        // A damaged original has no copy. The store notices it.
        std::fs::remove_file(root.path().join("s/didact-id/score")).expect("removed");
        std::fs::write(artifacts.path(StageKind::Score, &key).join("file"), "CONTENT").expect("written");
        assert_eq!(scratch.folder("score", &key), artifacts.folder("score", &key));
    }
}
