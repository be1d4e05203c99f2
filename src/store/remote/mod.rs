//! Artifacts in an object store. The artifacts folder of each machine is a copy of what the machine has written or read.
//!
//! An artifact's files are objects below KIND/KEY/DIGEST/, where DIGEST is that of its manifest. Its manifest is the object
//! KIND/KEY/files.json, written last and only if there is none. So an artifact appears completely or not at all, and two workers that
//! publish different files under one key cannot mix them.

mod objects;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

pub(super) use objects::Objects;

use super::artifacts::{Recorded, Verified};
use super::manifest::{Damage, FileFacts, MANIFEST, Manifest, Spare};
use super::{Artifacts, StoreError};
use crate::stages::{Key, StageKind};

/// What the address of artifacts in an object store begins with. The name of the bucket follows, then a slash and a prefix.
const S3: &str = "s3://";

/// Returns whether an address of artifacts names an object store.
pub(super) fn is_remote(place: &Path) -> bool {
    place.to_str().is_some_and(|place| place.starts_with(S3))
}

/// Artifacts in an object store.
#[derive(Debug)]
pub(super) struct Remote {
    /// Its address, as people name it.
    address: PathBuf,
    objects: Box<dyn Objects>,
}

impl Remote {
    /// Opens the object store at an address: s3://BUCKET/PREFIX.
    ///
    /// # Errors
    /// The address has no bucket, the environment is invalid, or this executable has no support for object stores.
    pub(super) fn open(place: &Path) -> Result<Self, StoreError> {
        let below = place.to_str().and_then(|place| place.strip_prefix(S3)).unwrap_or_default();
        let (bucket, prefix) = below.split_once('/').unwrap_or((below, ""));
        let address = PathBuf::from(format!("{S3}{bucket}/{}", prefix.trim_matches('/')).trim_end_matches('/'));
        match bucket.is_empty() {
            true => Err(StoreError::ObjectStore {
                place: place.to_owned(),
                source: "it names no bucket; the form is s3://BUCKET/PREFIX".into(),
            }),
            false => Ok(Self { objects: connect(&address, bucket, prefix.trim_matches('/'))?, address }),
        }
    }

    /// Uses other objects, for tests.
    #[cfg(test)]
    pub(super) fn with(objects: Box<dyn Objects>) -> Self {
        Self { address: "s3://test".into(), objects }
    }

    /// Its address, as people name it.
    pub(super) fn address(&self) -> &Path {
        &self.address
    }

    /// Named objects other than artifacts: the owner, checkpoints, logs.
    pub(super) fn objects(&self) -> &dyn Objects {
        &*self.objects
    }

    /// Address of an object.
    fn at(&self, name: &str) -> PathBuf {
        self.address.join(name)
    }

    /// Adds the address of an object to an error.
    fn named(&self, name: &str) -> impl Fn(io::Error) -> StoreError {
        let path = self.at(name);
        move |source| StoreError::Artifact { path: path.clone(), source }
    }

    /// Writes an artifact from a complete folder, whose manifest has this digest, unless it is published already.
    pub(super) fn publish(&self, folder: &Path, kind: StageKind, key: &Key, digest: &str) -> Result<(), StoreError> {
        let name = Artifacts::relative(kind, key);
        let manifest_name = format!("{name}/{MANIFEST}");
        let (manifest, _) = Manifest::read(folder).map_err(|damage| self.named(&name)(io::Error::other(damage)))?;
        let files = format!("{name}/{digest}");
        let wrong = self.named(&manifest_name);
        let text = std::fs::read(folder.join(MANIFEST)).map_err(&wrong)?;
        let is_there = || self.objects.get(&manifest_name).map(|there| there.as_deref() == Some(&text)).map_err(&wrong);
        if is_there()? && self.has_sizes(&files, &manifest)? {
            return Ok(());
        }
        for (file, _) in manifest.files() {
            let object = format!("{files}/{file}");
            self.objects.upload(&folder.join(file), &object).map_err(self.named(&object))?;
        }
        crate::fault::point("s3:before-manifest");
        // Equal keys have equal artifacts, so a different one in its place is damaged.
        if !self.objects.create(&manifest_name, &text).map_err(&wrong)? && !is_there()? {
            self.objects.put(&manifest_name, &text).map_err(&wrong)?;
        }
        crate::fault::point("s3:after-manifest");
        Ok(())
    }

    /// Returns whether all files of a manifest exist below a name with the right sizes.
    fn has_sizes(&self, files: &str, manifest: &Manifest) -> Result<bool, StoreError> {
        let there = self.objects.list(files).map_err(self.named(files))?;
        let sizes: BTreeMap<&str, u64> = there.iter().map(|object| (object.name.as_str(), object.bytes)).collect();
        let has = |(file, facts): (&str, &FileFacts)| sizes.get(&*format!("{files}/{file}")) == Some(&facts.bytes);
        Ok(manifest.files().all(has))
    }

    /// Removes the manifest of a damaged artifact, so that it is no longer published and all its files are written again.
    pub(super) fn retract(&self, kind: StageKind, key: &Key) -> Result<(), StoreError> {
        let name = format!("{}/{MANIFEST}", Artifacts::relative(kind, key));
        self.objects.remove(std::slice::from_ref(&name)).map_err(self.named(&name))
    }

    /// Reads the manifest of an artifact. Returns it as it was written, and its digest.
    fn manifest(&self, kind: StageKind, key: &Key) -> Verified<(Vec<u8>, Manifest, String)> {
        let folder = Artifacts::relative(kind, key);
        let name = format!("{folder}/{MANIFEST}");
        let Some(text) = self.objects.get(&name).map_err(self.named(&name))? else {
            return Ok(Err(Damage::missing(self.at(&folder))));
        };
        Ok(Manifest::parse(&text, &self.at(&name)).map(|(manifest, digest)| (text, manifest, digest)))
    }

    /// Returns whether an artifact is published.
    pub(super) fn is_published(&self, kind: StageKind, key: &Key) -> Result<bool, StoreError> {
        Ok(self.manifest(kind, key)?.is_ok())
    }

    /// Reads an artifact, verifies the digest of each file, and writes them into an empty `folder`, if one is given. Spare files may be
    /// missing.
    pub(super) fn read(&self, kind: StageKind, key: &Key, recorded: Option<&str>, folder: Option<&Path>) -> Verified {
        let (text, manifest, digest) = match self.manifest(kind, key)? {
            Ok(found) => found,
            Err(damage) => return Ok(Err(damage)),
        };
        let name = Artifacts::relative(kind, key);
        if recorded.is_some_and(|recorded| recorded != digest) {
            return Ok(Err(Damage::changed(self.at(&format!("{name}/{MANIFEST}")))));
        }
        let is_spare: Spare = kind.spare();
        for (file, facts) in manifest.files() {
            let object = format!("{name}/{digest}/{file}");
            let target = folder.map(|folder| folder.join(file));
            if let Some(parent) = target.as_deref().and_then(Path::parent) {
                std::fs::create_dir_all(parent).map_err(self.named(&object))?;
            }
            match self.objects.download(&object, target.as_deref()).map_err(self.named(&object))? {
                Some(found) if found == facts.blake3 => {}
                Some(_) => return Ok(Err(Damage::changed(self.at(&object)))),
                None if is_spare.is_some_and(|is_spare| is_spare(file)) => {
                    target.map_or(Ok(()), std::fs::remove_file).or_else(ignore_absent).map_err(self.named(&object))?;
                }
                None => return Ok(Err(Damage::missing(self.at(&object)))),
            }
        }
        if let Some(folder) = folder {
            std::fs::write(folder.join(MANIFEST), text).map_err(self.named(&name))?;
        }
        Ok(Ok(()))
    }

    /// Compares the names and sizes of artifacts with what the store has recorded, with one listing for each kind of stage. Returns the
    /// damage of each, in their order.
    pub(super) fn compare(&self, artifacts: &[Recorded<'_>]) -> Result<Vec<Option<Damage>>, StoreError> {
        let kinds: BTreeSet<&str> = artifacts.iter().map(|artifact| artifact.kind.name()).collect();
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for kind in kinds {
            for object in self.objects.list(kind).map_err(self.named(kind))? {
                // KIND/KEY/files.json, or KIND/KEY/DIGEST/FILE.
                let owner: Vec<&str> = object.name.splitn(4, '/').take(3).collect();
                *sizes.entry(owner.join("/")).or_default() += object.bytes;
            }
        }
        let damage = |artifact: &Recorded<'_>| {
            let name = Artifacts::relative(artifact.kind, artifact.key);
            let Some(digest) = artifact.digest else { return Some(Damage::unrecorded(self.at(&name))) };
            let Some(manifest) = sizes.get(&format!("{name}/{MANIFEST}")) else {
                return Some(Damage::missing(self.at(&name)));
            };
            let files = sizes.get(&format!("{name}/{digest}")).copied().unwrap_or_default();
            match manifest + files == artifact.bytes {
                true => None,
                false => Some(Damage {
                    path: self.at(&name),
                    what: format!("has {} bytes; the published files have {}", manifest + files, artifact.bytes),
                }),
            }
        };
        Ok(artifacts.iter().map(damage).collect())
    }

    /// Copies checkpoints from a folder of this machine. Those that have not changed since `kept` are not sent again.
    pub(super) fn keep_partial(&self, folder: &Path, name: &str, kept: &mut Kept) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && !file.ends_with(".tmp") {
                files.push((entry.metadata()?.modified()?, file));
            }
        }
        // In the order in which they were written: the position refers to the other files.
        files.sort();
        for (changed, file) in files {
            if kept.get(&file) != Some(&changed) {
                self.objects.upload(&folder.join(&file), &format!("{name}/{file}"))?;
                kept.insert(file, changed);
            }
        }
        Ok(())
    }

    /// Returns the latest attempt before `attempt` that has checkpoints below `folder`.
    pub(super) fn latest_partial(&self, folder: &str, attempt: i64) -> io::Result<Option<i64>> {
        let objects = self.objects.list(folder)?;
        let numbers =
            objects.iter().filter_map(|object| object.name.strip_prefix(folder)?.split('/').nth(1)?.parse().ok());
        Ok(numbers.filter(|number| *number < attempt).max())
    }

    /// Copies all objects below a name into a folder of this machine.
    pub(super) fn download_folder(&self, name: &str, folder: &Path) -> io::Result<()> {
        for object in self.objects.list(name)? {
            let Some(file) = object.name.strip_prefix(name) else { continue };
            self.objects.download(&object.name, Some(&folder.join(file.trim_start_matches('/'))))?;
        }
        Ok(())
    }

    /// Removes all objects below a name. The manifest of an artifact goes first: no reader finds half of an artifact.
    pub(super) fn remove_folder(&self, name: &str) -> io::Result<()> {
        let (manifests, files): (Vec<String>, Vec<String>) = (self.objects.list(name)?.into_iter())
            .map(|object| object.name)
            .partition(|name| name.ends_with(&format!("/{MANIFEST}")));
        self.objects.remove(&manifests)?;
        self.objects.remove(&files)
    }
}

/// When each checkpoint was last changed before it was copied.
pub type Kept = BTreeMap<String, std::time::SystemTime>;

fn ignore_absent(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

#[cfg(feature = "s3")]
fn connect(address: &Path, bucket: &str, prefix: &str) -> Result<Box<dyn Objects>, StoreError> {
    let opened = s3::Bucket::open(bucket, prefix);
    let opened = opened.map_err(|error| StoreError::ObjectStore { place: address.to_owned(), source: error.into() })?;
    Ok(Box::new(opened))
}

#[cfg(not(feature = "s3"))]
fn connect(_: &Path, _: &str, _: &str) -> Result<Box<dyn Objects>, StoreError> {
    Err(StoreError::NoObjectStore)
}
