//! The artifacts folder. Each artifact is written to a temporary folder, made durable, then renamed into place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::StoreError;
use super::filesystem::can_write;
use super::manifest::{Damage, MANIFEST, Manifest, Spare, VerifyScope};
use crate::stages::{ArtifactFolders, Key, StageKind};

/// Path of the artifacts folder, with operations on it.
#[derive(Debug, Clone)]
pub struct Artifacts {
    root: PathBuf,
}

/// A published artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Total size of its files, in bytes.
    pub bytes: u64,
    /// Digest of its manifest (the list of its files).
    pub digest: String,
}

impl ArtifactFolders for Artifacts {
    fn folder(&self, stage: &str, key: &Key) -> PathBuf {
        self.root.join(stage).join(key.as_str())
    }
}

impl Artifacts {
    /// Returns the artifacts folder at `root`; the folder need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the artifacts folder next to a store: `a.artifacts` for `a.db`. For other names, `.artifacts` is appended to the full name.
    pub fn next_to(store: &Path) -> Self {
        let name = store.file_name().unwrap_or_default().to_string_lossy();
        Self::new(store.with_file_name(format!("{}.artifacts", name.strip_suffix(".db").unwrap_or(&name))))
    }

    /// Path of the artifacts folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether files can be created in the folder. On a shared file system, that may change for a while.
    pub fn can_be_written(&self) -> bool {
        can_write(&self.root)
    }

    /// Path of a stage's artifact.
    pub fn path(&self, kind: StageKind, key: &Key) -> PathBuf {
        self.folder(kind.name(), key)
    }

    /// Path of a stage's artifact, relative to the artifacts folder.
    pub fn relative(kind: StageKind, key: &Key) -> String {
        format!("{}/{key}", kind.name())
    }

    /// Path of an attempt's log, relative to the artifacts folder.
    pub fn relative_log(attempt: &str) -> String {
        format!("logs/{attempt}.log")
    }

    /// Returns whether the artifact of a stage is published. An artifact appears completely or not at all.
    pub fn is_published(&self, kind: StageKind, key: &Key) -> bool {
        self.path(kind, key).is_dir()
    }

    /// Returns an artifact that was published completely but not recorded in the store. Returns `None` if it is missing or incomplete.
    pub fn find_unrecorded(&self, kind: StageKind, key: &Key) -> Option<Published> {
        let path = self.path(kind, key);
        let (manifest, digest) = Manifest::read(&path).ok()?;
        manifest.compare(&path, VerifyScope::Everything, kind.spare()).ok()?;
        Some(Published { bytes: size_of(&path).ok()?, digest })
    }

    /// Compares an artifact with its manifest, and the manifest's digest with the `recorded` digest, if one is given.
    ///
    /// # Errors
    /// Returns the damage that was found.
    pub fn verify(
        &self,
        kind: StageKind,
        key: &Key,
        recorded: Option<&str>,
        scope: VerifyScope<'_>,
    ) -> Result<(), Damage> {
        verify(&self.path(kind, key), kind.spare(), recorded, scope)
    }

    /// Verifies the given files of an artifact (all files if none are given) and returns the artifact's folder for reading.
    ///
    /// # Errors
    /// Returns the damage that was found, and logs it.
    pub fn verified_folder(&self, kind: StageKind, key: &Key, files: &[&str]) -> Result<PathBuf, Damage> {
        let path = self.path(kind, key);
        let scope = if files.is_empty() { VerifyScope::Digests } else { VerifyScope::Files(files) };
        log_damage(verify(&path, kind.spare(), None, scope), &path)?;
        Ok(path)
    }

    /// Creates an empty folder for one attempt.
    pub fn create_temporary(&self, attempt: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join("tmp").join(attempt);
        std::fs::create_dir_all(&path).map_err(|source| StoreError::Artifact { path: path.clone(), source })?;
        Ok(path)
    }

    /// Creates the folder of partial checkpoints for one attempt of a stage. It takes over the checkpoints of the latest earlier attempt.
    ///
    /// The folder is taken over by renaming. A worker that was presumed dead but still runs therefore loses its folder, and cannot
    /// overwrite the checkpoints of its successor.
    pub fn create_partial(&self, key: &Key, attempt: i64) -> Result<PathBuf, StoreError> {
        let folder = self.partial(key);
        let path = folder.join(attempt.to_string());
        take_over(&folder, attempt, &path).map_err(|source| StoreError::Artifact { path: path.clone(), source })?;
        Ok(path)
    }

    fn partial(&self, key: &Key) -> PathBuf {
        self.root.join("partial").join(key.as_str())
    }

    /// Writes the manifest of a finished folder, makes the folder durable and renames it into place.
    pub fn publish(&self, temporary: &Path, kind: StageKind, key: &Key) -> Result<Published, StoreError> {
        let wrong = |source| StoreError::Artifact { path: temporary.to_owned(), source };
        let digest = Manifest::of(temporary).and_then(|manifest| manifest.write(temporary)).map_err(wrong)?;
        self.publish_listed(temporary, kind, key, digest)
    }

    /// Copies an artifact of another folder, with its manifest, and publishes it. `recorded` is the digest of the manifest, and `temporary`
    /// the name of a folder that no other process uses. The outer error is one of this folder, the inner one the other's damage.
    pub(super) fn adopt(
        &self,
        from: &Self,
        (kind, key): (StageKind, &Key),
        recorded: &str,
        temporary: &str,
    ) -> Result<Result<Published, Damage>, StoreError> {
        if let Err(damage) = from.verify(kind, key, Some(recorded), VerifyScope::Sizes) {
            return Ok(Err(damage));
        }
        let temporary = self.create_temporary(temporary)?;
        let copied = copy_tree(&from.path(kind, key), &temporary);
        copied.map_err(|source| StoreError::Artifact { path: temporary.clone(), source })?;
        // The copy is what counts: it may differ from the original, which another process may change.
        if let Err(damage) = verify(&temporary, kind.spare(), Some(recorded), VerifyScope::Digests) {
            self.discard_temporary(&temporary);
            return Ok(Err(damage));
        }
        self.publish_listed(&temporary, kind, key, recorded.to_owned()).map(Ok)
    }

    /// Makes a finished folder with its manifest durable and renames it into place.
    ///
    /// Order: sync every file and folder, rename the folder, sync the parent. If another worker published first, its folder stays:
    /// equal keys have equal artifacts. A different artifact in that place is damaged, and is replaced.
    fn publish_listed(
        &self,
        temporary: &Path,
        kind: StageKind,
        key: &Key,
        digest: String,
    ) -> Result<Published, StoreError> {
        let target = self.path(kind, key);
        let wrong = |source| StoreError::Artifact { path: target.clone(), source };
        let bytes = sync_tree(temporary).map_err(wrong)?;
        let parent = self.root.join(kind.name());
        std::fs::create_dir_all(&parent).map_err(wrong)?;
        crate::fault::point("publish:before-rename");
        match std::fs::rename(temporary, &target) {
            Ok(()) => crate::fault::point("publish:after-rename"),
            Err(_) if target.is_dir() => match self.verify(kind, key, Some(&digest), VerifyScope::Everything) {
                Ok(()) => std::fs::remove_dir_all(temporary).map_err(wrong)?,
                Err(_) => replace(temporary, &target).map_err(wrong)?,
            },
            Err(error) => return Err(wrong(error)),
        }
        File::open(&parent).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(Published { bytes, digest })
    }

    /// Removes the temporary folder of an attempt.
    pub fn discard_temporary(&self, temporary: &Path) {
        // A failure here only wastes disk space.
        let _ = std::fs::remove_dir_all(temporary);
    }

    /// Removes the partial checkpoints of a finished stage.
    pub fn discard_partial(&self, key: &Key) {
        let _ = std::fs::remove_dir_all(self.partial(key));
    }
}

pub(super) fn verify(path: &Path, spare: Spare, recorded: Option<&str>, scope: VerifyScope<'_>) -> Result<(), Damage> {
    if !path.is_dir() {
        return Err(Damage { path: path.to_owned(), what: "is missing".to_owned() });
    }
    let (manifest, digest) = Manifest::read(path)?;
    if recorded.is_some_and(|recorded| recorded != digest) {
        return Err(Damage { path: path.join(MANIFEST), what: "differs from the published file".to_owned() });
    }
    manifest.compare(path, scope, spare)
}

/// Verifies some files of an artifact before they are read.
///
/// # Errors
/// Returns the damage that was found, and logs it.
pub fn verify_files(folder: &Path, files: &[&str]) -> Result<(), Damage> {
    log_damage(verify(folder, None, None, VerifyScope::Files(files)), folder)
}

fn log_damage(verified: Result<(), Damage>, folder: &Path) -> Result<(), Damage> {
    verified.inspect_err(|damage| {
        // An artifact that `gc` removed is not damaged.
        if folder.is_dir() {
            tracing::warn!("{damage}; run `didact store check --repair`, then the sweep again, to recompute it");
        }
    })
}

/// Suffix of a damaged artifact that the folder of an attempt replaced.
pub(super) const REPLACED: &str = ".replaced";

/// Replaces a damaged artifact by a finished folder.
fn replace(temporary: &Path, target: &Path) -> io::Result<()> {
    let mut replaced = temporary.as_os_str().to_owned();
    replaced.push(REPLACED);
    std::fs::rename(target, &replaced)?;
    std::fs::rename(temporary, target)?;
    // On failure, `gc` removes it later.
    let _ = std::fs::remove_dir_all(replaced);
    Ok(())
}

/// Creates the checkpoint folder of an attempt from that of the latest earlier attempt.
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
        // On failure, it is removed later with the other checkpoints of the stage.
        let _ = std::fs::remove_dir_all(folder.join(number.to_string()));
    }
    std::fs::create_dir_all(path)?;
    // The previous attempt may still have a half-written file open.
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "tmp") {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Copies all files below a folder into an existing folder.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from).map_err(io::Error::other)?);
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(&target)?,
            false => std::fs::copy(entry.path(), &target).map(drop)?,
        }
    }
    Ok(())
}

/// Total size of all files below a path, in bytes.
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

/// Syncs every file and folder below `root`. Returns the total size of the files, in bytes.
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
    fn publishing_a_different_folder_replaces_the_published_one() {
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
        assert_eq!(std::fs::read_to_string(path).expect("is there"), "second", "a different artifact is damaged");
    }

    #[test]
    fn the_folder_has_the_name_of_the_store() {
        let folder = |store: &str| Artifacts::next_to(Path::new(store)).root.display().to_string();
        assert_eq!(folder("a.db"), "a.artifacts");
        assert_eq!(folder("x/didact.db"), "x/didact.artifacts");
        assert_eq!(folder("a.sqlite"), "a.sqlite.artifacts");
        assert_eq!(folder("v1.2"), "v1.2.artifacts");
        assert_eq!(folder("a"), "a.artifacts");
    }

    #[test]
    fn equal_artifacts_are_kept_damaged_ones_are_replaced_and_complete_ones_are_found() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let artifacts = Artifacts::new(root.path().join("a"));
        let key = Key::of("test", 1, &serde_json::json!(1));
        let publish = |attempt: &str| {
            let temporary = artifacts.create_temporary(attempt).expect("created");
            std::fs::write(temporary.join("file"), "content").expect("written");
            artifacts.publish(&temporary, StageKind::Score, &key).expect("published")
        };
        let first = publish("one");
        assert_eq!(artifacts.find_unrecorded(StageKind::Score, &key), Some(first.clone()));
        let file = artifacts.path(StageKind::Score, &key).join("file");
        for damage in ["", "CONTENT"] {
            std::fs::write(&file, damage).expect("written");
            assert_eq!(artifacts.find_unrecorded(StageKind::Score, &key), None);
            assert!(artifacts.verified_folder(StageKind::Score, &key, &["file"]).is_err());
            assert_eq!(publish("two"), first);
            assert_eq!(std::fs::read_to_string(&file).expect("is there"), "content");
        }
        assert_eq!(std::fs::read_dir(root.path().join("a/tmp")).expect("is there").count(), 0);
    }

    #[test]
    fn an_attempt_takes_over_the_checkpoints_of_the_latest_earlier_attempt_and_locks_it_out() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let artifacts = Artifacts::new(root.path().join("a"));
        let key = Key::of("test", 1, &serde_json::json!(1));
        let first = artifacts.create_partial(&key, 1).expect("created");
        std::fs::write(first.join("last.safetensors"), "checkpoint").expect("written");
        std::fs::write(first.join("last.tmp"), "half a checkpoint").expect("written");
        // Attempts are compared as numbers, not as text: 10 comes after 9.
        for attempt in [9, 10] {
            let path = artifacts.create_partial(&key, attempt).expect("created");
            assert_eq!(std::fs::read_to_string(path.join("last.safetensors")).expect("is there"), "checkpoint");
            assert!(!path.join("last.tmp").exists());
        }
        assert!(std::fs::write(first.join("last.safetensors"), "late").is_err());
        // An attempt that is late from the start gets its own folder, which no other attempt reads.
        let late = artifacts.create_partial(&key, 2).expect("created");
        std::fs::write(late.join("last.safetensors"), "late").expect("written");
        let path = artifacts.create_partial(&key, 11).expect("created");
        assert_eq!(std::fs::read_to_string(path.join("last.safetensors")).expect("is there"), "checkpoint");
        assert!(!late.exists());
    }
}
