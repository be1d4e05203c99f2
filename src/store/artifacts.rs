//! The folder of artifacts: written beside, made durable, renamed into place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::StoreError;
use crate::plan::{Key, StageKind};

/// The artifacts folder.
#[derive(Debug, Clone)]
pub struct Artifacts {
    root: PathBuf,
}

impl Artifacts {
    /// A folder that need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the artifact of a stage lies.
    pub fn path(&self, kind: StageKind, key: &Key) -> PathBuf {
        self.root.join(Self::relative(kind, key))
    }

    /// The same, below the folder.
    pub fn relative(kind: StageKind, key: &Key) -> String {
        format!("{}/{key}", kind.name())
    }

    /// Where the log of an attempt lies, below the folder.
    pub fn relative_log(attempt: &str) -> String {
        format!("logs/{attempt}.log")
    }

    /// Whether the artifact of a stage is in place: it appears whole or not at all.
    pub fn is_published(&self, kind: StageKind, key: &Key) -> bool {
        self.path(kind, key).is_dir()
    }

    /// The size of a published artifact, bytes.
    pub fn size(&self, kind: StageKind, key: &Key) -> Result<u64, StoreError> {
        let path = self.path(kind, key);
        size_of(&path).map_err(|source| StoreError::Artifact { path, source })
    }

    /// An empty folder for one attempt.
    pub fn create_temporary(&self, attempt: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join("tmp").join(attempt);
        std::fs::create_dir_all(&path).map_err(|source| StoreError::Artifact { path: path.clone(), source })?;
        Ok(path)
    }

    /// The folder of partial checkpoints for one attempt of a stage, with what the last attempt before it left there.
    ///
    /// It is taken over by renaming: a worker that was taken for dead and goes on all the same has no folder any more, and cannot
    /// put its checkpoints in the place of its successor's.
    pub fn create_partial(&self, key: &Key, attempt: i64) -> Result<PathBuf, StoreError> {
        let folder = self.partial(key);
        let path = folder.join(attempt.to_string());
        take_over(&folder, attempt, &path).map_err(|source| StoreError::Artifact { path: path.clone(), source })?;
        Ok(path)
    }

    fn partial(&self, key: &Key) -> PathBuf {
        self.root.join("partial").join(key.as_str())
    }

    /// Makes a finished folder durable and puts it in its place; returns its size in bytes.
    ///
    /// Order: every file is synced, the folder is synced and renamed, the parent is synced. If another worker was first, its
    /// folder stays: equal keys hold equal artifacts.
    pub fn publish(&self, temporary: &Path, kind: StageKind, key: &Key) -> Result<u64, StoreError> {
        let target = self.path(kind, key);
        let wrong = |source| StoreError::Artifact { path: target.clone(), source };
        let bytes = sync_tree(temporary).map_err(wrong)?;
        let parent = self.root.join(kind.name());
        std::fs::create_dir_all(&parent).map_err(wrong)?;
        crate::fault::point("publish:before-rename");
        match std::fs::rename(temporary, &target) {
            Ok(()) => crate::fault::point("publish:after-rename"),
            Err(_) if target.is_dir() => std::fs::remove_dir_all(temporary).map_err(wrong)?,
            Err(error) => return Err(wrong(error)),
        }
        File::open(&parent).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(bytes)
    }

    /// Removes what an attempt left.
    pub fn discard_temporary(&self, temporary: &Path) {
        // What cannot be removed now is only disk space.
        let _ = std::fs::remove_dir_all(temporary);
    }

    /// Removes a finished stage's partial checkpoints.
    pub fn discard_partial(&self, key: &Key) {
        let _ = std::fs::remove_dir_all(self.partial(key));
    }
}

/// Makes the folder of an attempt from that of the latest earlier one.
fn take_over(folder: &Path, attempt: i64, path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut earlier = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        earlier.extend(
            entry?.file_name().to_str().and_then(|name| name.parse::<i64>().ok()).filter(|number| *number < attempt),
        );
    }
    earlier.sort_unstable();
    if let Some(latest) = earlier.pop() {
        std::fs::rename(folder.join(latest.to_string()), path)?;
    }
    for number in earlier {
        // What cannot be removed now goes with the stage's other checkpoints.
        let _ = std::fs::remove_dir_all(folder.join(number.to_string()));
    }
    std::fs::create_dir_all(path)?;
    // The predecessor may have a half-written file open still.
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "tmp") {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Bytes of all files below a path.
pub(super) fn size_of(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in WalkDir::new(path) {
        let entry = entry?;
        if entry.file_type().is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Syncs every file and folder below `root`; returns the bytes of the files.
fn sync_tree(root: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in WalkDir::new(root).contents_first(true) {
        let entry = entry?;
        File::open(entry.path())?.sync_all()?;
        if entry.file_type().is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_folder_appears_whole_and_a_second_one_changes_nothing() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let artifacts = Artifacts::new(root.path().join("a"));
        let key = Key::of("test", 1, &serde_json::json!(1));
        for content in ["first", "second"] {
            let temporary = artifacts.create_temporary(content).expect("created");
            std::fs::create_dir(temporary.join("inner")).expect("created");
            std::fs::write(temporary.join("inner/file"), content).expect("written");
            artifacts.publish(&temporary, StageKind::Joint, &key).expect("published");
            assert!(!temporary.exists());
        }
        let path = artifacts.path(StageKind::Joint, &key).join("inner/file");
        assert_eq!(std::fs::read_to_string(path).expect("is there"), "first");
    }
    #[test]
    fn an_attempt_takes_over_the_checkpoints_of_the_latest_before_it_and_locks_that_one_out() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let artifacts = Artifacts::new(root.path().join("a"));
        let key = Key::of("test", 1, &serde_json::json!(1));
        let first = artifacts.create_partial(&key, 1).expect("created");
        std::fs::write(first.join("last.safetensors"), "checkpoint").expect("written");
        std::fs::write(first.join("last.tmp"), "half a checkpoint").expect("written");
        // The ninth and the tenth: numbers, not words, are compared.
        for attempt in [9, 10] {
            let path = artifacts.create_partial(&key, attempt).expect("created");
            assert_eq!(std::fs::read_to_string(path.join("last.safetensors")).expect("is there"), "checkpoint");
            assert!(!path.join("last.tmp").exists());
        }
        assert!(std::fs::write(first.join("last.safetensors"), "late").is_err());
        // One that was late from the start has a folder of its own, which nobody reads.
        let late = artifacts.create_partial(&key, 2).expect("created");
        std::fs::write(late.join("last.safetensors"), "late").expect("written");
        let path = artifacts.create_partial(&key, 11).expect("created");
        assert_eq!(std::fs::read_to_string(path.join("last.safetensors")).expect("is there"), "checkpoint");
        assert!(!late.exists());
    }
}
