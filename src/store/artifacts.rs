//! The artifacts folder. Each artifact is written to a temporary folder, made durable, then renamed into place.
//!
//! If artifacts are in an object store, the folder is a copy: what this machine wrote or read. See [`super::remote`].

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use walkdir::WalkDir;

use super::StoreError;
use super::filesystem::can_write;
use super::manifest::{Damage, MANIFEST, Manifest, Spare, VerifyScope};
use super::remote::{Kept, Remote, is_remote};
use crate::paths::cache_folder;
use crate::stages::{ArtifactFolders, Key, StageKind};

/// Path of the artifacts folder, with operations on it.
#[derive(Debug, Clone)]
pub struct Artifacts {
    root: PathBuf,
    remote: Option<Arc<Remote>>,
}

/// A published artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Total size of its files, in bytes.
    pub bytes: u64,
    /// Digest of its manifest (the list of its files).
    pub digest: String,
}

/// The outer error is one of a folder or an object store, the inner one the damage of the artifact.
pub type Verified<T = ()> = Result<Result<T, Damage>, StoreError>;

/// What the store has recorded of an artifact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recorded<'a> {
    /// Kind of its stage.
    pub kind: StageKind,
    /// Key of its stage.
    pub key: &'a Key,
    /// Digest of its manifest; `None` if it has no row.
    pub digest: Option<&'a str>,
    /// Total size of its files, in bytes.
    pub bytes: u64,
}

impl ArtifactFolders for Artifacts {
    /// Returns the folder of an artifact. One that is only in the object store is read first. If that fails, the folder does not exist.
    fn folder(&self, stage: &str, key: &Key) -> PathBuf {
        let folder = self.root.join(stage).join(key.as_str());
        if self.remote.is_some()
            && let Some(kind) = StageKind::named(stage)
        {
            match self.verify(kind, key, None, VerifyScope::Digests) {
                Ok(Ok(())) => {}
                Ok(Err(damage)) => tracing::warn!("{damage}"),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        folder
    }
}

impl Artifacts {
    /// Returns the artifacts folder at `root`; the folder need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root, remote: None }
    }

    /// Returns the artifacts at a place: a folder, or s3://BUCKET/PREFIX. Copies of the latter are kept in this user's cache folder.
    ///
    /// # Errors
    /// The object store cannot be used. No request is made yet.
    pub fn at(place: &Path) -> Result<Self, StoreError> {
        if !is_remote(place) {
            return Ok(Self::new(place.to_owned()));
        }
        let remote = Remote::open(place)?;
        let name: String = remote.address().to_string_lossy().replace("://", "/");
        Ok(Self { root: cache_folder().join("didact").join(name), remote: Some(Arc::new(remote)) })
    }

    /// Returns artifacts in other objects, with copies in a folder, for tests.
    #[cfg(test)]
    pub(super) fn with_objects(root: PathBuf, objects: Box<dyn super::remote::Objects>) -> Self {
        Self { root, remote: Some(Arc::new(Remote::with(objects))) }
    }

    /// Returns the artifacts folder next to a store: `a.artifacts` for `a.db`. For other names, `.artifacts` is appended to the full name.
    pub fn next_to(store: &Path) -> Self {
        let name = store.file_name().unwrap_or_default().to_string_lossy();
        Self::new(store.with_file_name(format!("{}.artifacts", name.strip_suffix(".db").unwrap_or(&name))))
    }

    /// Returns the same artifacts, with copies in another folder if they are in an object store.
    #[must_use]
    pub(super) fn copied_to(&self, root: PathBuf) -> Self {
        Self { root, remote: self.remote.clone() }
    }

    /// Path of the artifacts folder on this machine.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The object store, if artifacts are in one.
    pub(super) fn remote(&self) -> Option<&Remote> {
        self.remote.as_deref()
    }

    /// Where the artifacts are, as people name it: a folder, or s3://BUCKET/PREFIX.
    pub fn place(&self) -> &Path {
        self.remote.as_deref().map_or(&self.root, Remote::address)
    }

    /// Returns whether artifacts are in an object store, not in a folder.
    pub fn are_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// Returns whether files can be created in the folder, and whether the object store answers. On a shared file system or a network, that
    /// may change for a while.
    pub fn can_be_written(&self) -> bool {
        let answers = |remote: &Remote| remote.objects().get(super::ownership::MARKER).is_ok();
        can_write(&self.root) && self.remote().is_none_or(answers)
    }

    /// Path of a stage's artifact on this machine. It may not exist.
    pub fn path(&self, kind: StageKind, key: &Key) -> PathBuf {
        self.root.join(kind.name()).join(key.as_str())
    }

    /// Path of a stage's artifact, relative to the artifacts folder.
    pub fn relative(kind: StageKind, key: &Key) -> String {
        format!("{}/{key}", kind.name())
    }

    /// Path of an attempt's log, relative to the artifacts folder.
    pub fn relative_log(attempt: &str) -> String {
        format!("logs/{attempt}.log")
    }

    /// Returns whether the artifact of a stage is on this machine. An artifact appears completely or not at all.
    pub(super) fn is_here(&self, kind: StageKind, key: &Key) -> bool {
        self.path(kind, key).is_dir()
    }

    /// Returns whether the artifact of a stage is published.
    ///
    /// # Errors
    /// The object store does not answer.
    pub fn is_published(&self, kind: StageKind, key: &Key) -> Result<bool, StoreError> {
        match self.remote() {
            Some(remote) if !self.is_here(kind, key) => remote.is_published(kind, key),
            _ => Ok(self.is_here(kind, key)),
        }
    }

    /// Returns an artifact that was published completely but not recorded in the store. Returns `None` if it is missing or incomplete.
    ///
    /// # Errors
    /// The object store does not answer.
    pub fn find_unrecorded(&self, kind: StageKind, key: &Key) -> Result<Option<Published>, StoreError> {
        if let Ok(Err(_)) | Err(_) = self.verify(kind, key, None, VerifyScope::Everything) {
            return Ok(None);
        }
        let path = self.path(kind, key);
        let Ok((_, digest)) = Manifest::read(&path) else { return Ok(None) };
        let Ok(bytes) = size_of(&path) else { return Ok(None) };
        // A copy on this machine may never have reached the object store.
        self.remote().map_or(Ok(()), |remote| remote.publish(&path, kind, key, &digest))?;
        Ok(Some(Published { bytes, digest }))
    }

    /// Compares an artifact with its manifest, and the manifest's digest with the `recorded` digest, if one is given. One that is in an
    /// object store is copied to this machine unless an intact copy exists.
    ///
    /// # Errors
    /// The object store does not answer, or the artifact is damaged.
    pub fn verify(&self, kind: StageKind, key: &Key, recorded: Option<&str>, scope: VerifyScope<'_>) -> Verified {
        let path = self.path(kind, key);
        let here = verify(&path, kind.spare(), recorded, scope);
        let Some(remote) = self.remote().filter(|_| here.is_err()) else { return Ok(here) };
        if path.is_dir() {
            self.discard_copy(&path)?;
        }
        let temporary = self.create_temporary(&format!("{COPY}{}", uuid::Uuid::now_v7()))?;
        let copied = remote.read(kind, key, recorded, Some(&temporary)).and_then(|read| match read {
            Ok(()) => self.keep_copy(&temporary, &path).map(|()| verify(&path, kind.spare(), recorded, scope)),
            damaged => Ok(damaged),
        });
        self.discard_temporary(&temporary);
        copied
    }

    /// Verifies artifacts where they are: names and sizes, of those in a folder also the digests of their manifests. Returns the damage of
    /// each, in their order.
    ///
    /// # Errors
    /// The object store does not answer.
    pub(super) fn compare(&self, artifacts: &[Recorded<'_>]) -> Result<Vec<Option<Damage>>, StoreError> {
        if let Some(remote) = self.remote() {
            return remote.compare(artifacts);
        }
        let damage = |artifact: &Recorded<'_>| {
            let path = self.path(artifact.kind, artifact.key);
            verify(&path, artifact.kind.spare(), artifact.digest, VerifyScope::Sizes).err()
        };
        Ok(artifacts.par_iter().map(damage).collect())
    }

    /// Verifies all digests of an artifact where it is.
    ///
    /// # Errors
    /// The object store does not answer, or the artifact is damaged.
    pub(super) fn verify_at_place(&self, artifact: &Recorded<'_>) -> Verified {
        let Recorded { kind, key, digest, .. } = *artifact;
        match (digest, self.remote()) {
            (None, _) => Ok(Err(Damage::unrecorded(self.place().join(Self::relative(kind, key))))),
            (_, Some(remote)) => remote.read(kind, key, digest, None),
            (_, None) => Ok(verify(&self.path(kind, key), kind.spare(), digest, VerifyScope::Digests)),
        }
    }

    /// Verifies the given files of an artifact (all files if none are given) and returns the artifact's folder for reading.
    ///
    /// # Errors
    /// Returns the damage that was found, and logs it. An object store that does not answer counts as damage.
    pub fn verified_folder(&self, kind: StageKind, key: &Key, files: &[&str]) -> Result<PathBuf, Damage> {
        let path = self.path(kind, key);
        let scope = if files.is_empty() { VerifyScope::Digests } else { VerifyScope::Files(files) };
        let verified = self.verify(kind, key, None, scope).unwrap_or_else(|error| {
            Err(Damage { path: self.place().join(Self::relative(kind, key)), what: format!("cannot be read: {error}") })
        });
        log_damage(verified, &path)?;
        Ok(path)
    }

    /// Creates an empty folder for one attempt.
    pub fn create_temporary(&self, attempt: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join("tmp").join(attempt);
        std::fs::create_dir_all(&path).map_err(|source| StoreError::Artifact { path: path.clone(), source })?;
        Ok(path)
    }

    /// Renames a complete copy into place, unless another process was faster.
    fn keep_copy(&self, temporary: &Path, path: &Path) -> Result<(), StoreError> {
        let wrong = |source| StoreError::Artifact { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(wrong)?;
        match std::fs::rename(temporary, path) {
            Err(_) if path.is_dir() => Ok(()),
            renamed => renamed.map_err(wrong),
        }
    }

    /// Removes a damaged copy. Processes that have mapped its files keep them.
    fn discard_copy(&self, path: &Path) -> Result<(), StoreError> {
        let aside = self.create_temporary(&format!("{COPY}{}", uuid::Uuid::now_v7()))?;
        let moved = std::fs::rename(path, &aside);
        self.discard_temporary(&aside);
        match moved {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(|source| StoreError::Artifact { path: path.to_owned(), source }),
        }
    }

    /// Creates the folder of partial checkpoints for one attempt of a stage. It takes over the checkpoints of the latest earlier attempt,
    /// which may have run on another machine.
    ///
    /// The folder is taken over by renaming. A worker that was presumed dead but still runs therefore loses its folder, and cannot
    /// overwrite the checkpoints of its successor.
    pub fn create_partial(&self, key: &Key, attempt: i64) -> Result<PathBuf, StoreError> {
        let folder = self.partial(key);
        let path = folder.join(attempt.to_string());
        let wrong = |source| StoreError::Artifact { path: path.clone(), source };
        if let Some(remote) = self.remote() {
            let name = Self::relative_partial(key);
            let latest = remote.latest_partial(&name, attempt).map_err(wrong)?;
            let here = earlier_attempts(&folder, attempt).map_err(wrong)?.pop();
            if let Some(latest) = latest.filter(|latest| here.is_none_or(|here| here < *latest)) {
                let copy = folder.join(latest.to_string());
                std::fs::create_dir_all(&copy).map_err(wrong)?;
                remote.download_folder(&format!("{name}/{latest}"), &copy).map_err(wrong)?;
            }
        }
        take_over(&folder, attempt, &path).map_err(wrong)?;
        Ok(path)
    }

    fn relative_partial(key: &Key) -> String {
        format!("partial/{key}")
    }

    fn partial(&self, key: &Key) -> PathBuf {
        self.root.join(Self::relative_partial(key))
    }

    /// Copies the checkpoints of an attempt to the object store, if there is one, so that another machine can resume from them.
    ///
    /// # Errors
    /// The object store does not answer.
    pub fn keep_partial(&self, key: &Key, attempt: i64, kept: &mut Kept) -> Result<(), StoreError> {
        let Some(remote) = self.remote() else { return Ok(()) };
        let name = format!("{}/{attempt}", Self::relative_partial(key));
        let folder = self.root.join(&name);
        remote
            .keep_partial(&folder, &name, kept)
            .map_err(|source| StoreError::Artifact { path: self.place().join(&name), source })
    }

    /// Copies the log of an attempt to the object store, if there is one. On failure, the log is on this machine only.
    pub fn keep_log(&self, attempt: &str) {
        let Some(remote) = self.remote() else { return };
        let name = Self::relative_log(attempt);
        if let Err(error) = remote.objects().upload(&self.root.join(&name), &name) {
            tracing::warn!(%error, "cannot copy the log {name} to {}", self.place().display());
        }
    }

    /// Writes the manifest of a finished folder, makes the folder durable and renames it into place.
    pub fn publish(&self, temporary: &Path, kind: StageKind, key: &Key) -> Result<Published, StoreError> {
        let wrong = |source| StoreError::Artifact { path: temporary.to_owned(), source };
        let digest = Manifest::of(temporary).and_then(|manifest| manifest.write(temporary)).map_err(wrong)?;
        self.publish_listed(temporary, kind, key, digest)
    }

    /// Copies an artifact of another folder, with its manifest, and publishes it. `recorded` is what the other store has recorded, and
    /// `temporary` the name of a folder that no other process uses.
    pub(super) fn adopt(
        &self,
        from: &Self,
        (kind, key): (StageKind, &Key),
        recorded: &str,
        temporary: &str,
    ) -> Verified<Published> {
        let temporary = self.create_temporary(temporary)?;
        let copied = match from.remote() {
            Some(remote) => remote.read(kind, key, Some(recorded), Some(&temporary))?,
            None => copy_verified(&from.path(kind, key), kind.spare(), recorded, &temporary)?,
        };
        match copied {
            Ok(()) => self.publish_listed(&temporary, kind, key, recorded.to_owned()).map(Ok),
            Err(damage) => {
                self.discard_temporary(&temporary);
                Ok(Err(damage))
            }
        }
    }

    /// Makes a finished folder with its manifest durable and renames it into place, then copies it to the object store, if there is one.
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
            Err(_) if target.is_dir() => match verify(&target, kind.spare(), Some(&digest), VerifyScope::Everything) {
                Ok(()) => std::fs::remove_dir_all(temporary).map_err(wrong)?,
                Err(_) => replace(temporary, &target).map_err(wrong)?,
            },
            Err(error) => return Err(wrong(error)),
        }
        File::open(&parent).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        self.remote().map_or(Ok(()), |remote| remote.publish(&target, kind, key, &digest))?;
        Ok(Published { bytes, digest })
    }

    /// Forgets a damaged artifact in an object store, so that it is written anew. In a folder, publishing replaces it.
    pub(super) fn retract(&self, kind: StageKind, key: &Key) {
        if let Some(Err(error)) = self.remote().map(|remote| remote.retract(kind, key)) {
            tracing::warn!("{error}");
        }
    }

    /// Removes the temporary folder of an attempt.
    pub fn discard_temporary(&self, temporary: &Path) {
        // A failure here only wastes disk space.
        let _ = std::fs::remove_dir_all(temporary);
    }

    /// Removes the partial checkpoints of a finished stage.
    pub fn discard_partial(&self, key: &Key) {
        let _ = std::fs::remove_dir_all(self.partial(key));
        // On failure, `gc` removes them later.
        let _ = self.remote().map(|remote| remote.remove_folder(&Self::relative_partial(key)));
    }
}

/// Copies an intact artifact of a folder into an empty folder.
fn copy_verified(from: &Path, spare: Spare, recorded: &str, to: &Path) -> Verified {
    if let Err(damage) = verify(from, spare, Some(recorded), VerifyScope::Sizes) {
        return Ok(Err(damage));
    }
    copy_tree(from, to).map_err(|source| StoreError::Artifact { path: to.to_owned(), source })?;
    // The copy is what counts: it may differ from the original, which another process may change.
    Ok(verify(to, spare, Some(recorded), VerifyScope::Digests))
}

pub(super) fn verify(path: &Path, spare: Spare, recorded: Option<&str>, scope: VerifyScope<'_>) -> Result<(), Damage> {
    if !path.is_dir() {
        return Err(Damage::missing(path.to_owned()));
    }
    let (manifest, digest) = Manifest::read(path)?;
    if recorded.is_some_and(|recorded| recorded != digest) {
        return Err(Damage::changed(path.join(MANIFEST)));
    }
    manifest.compare(path, scope, spare)
}

fn log_damage(verified: Result<(), Damage>, folder: &Path) -> Result<(), Damage> {
    verified.inspect_err(|damage| {
        // An artifact that `gc` removed is not damaged.
        if folder.is_dir() {
            tracing::warn!("{damage}; run `didact store check --repair`, then the sweep again, to recompute it");
        }
    })
}

/// Beginning of the names of temporary folders with copies from an object store. `gc` removes old ones.
pub(super) const COPY: &str = "copy-";

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

/// Returns the attempts before `attempt` that have a folder, in their order. Creates the folder of all attempts.
fn earlier_attempts(folder: &Path, attempt: i64) -> io::Result<Vec<i64>> {
    std::fs::create_dir_all(folder)?;
    let mut earlier = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        earlier.extend(
            entry?.file_name().to_str().and_then(|name| name.parse::<i64>().ok()).filter(|number| *number < attempt),
        );
    }
    earlier.sort_unstable();
    Ok(earlier)
}

/// Creates the checkpoint folder of an attempt from that of the latest earlier attempt.
fn take_over(folder: &Path, attempt: i64, path: &Path) -> io::Result<()> {
    let mut earlier = earlier_attempts(folder, attempt)?;
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
        let find = || artifacts.find_unrecorded(StageKind::Score, &key).expect("a folder");
        assert_eq!(find(), Some(first.clone()));
        let file = artifacts.path(StageKind::Score, &key).join("file");
        for damage in ["", "CONTENT"] {
            std::fs::write(&file, damage).expect("written");
            assert_eq!(find(), None);
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
