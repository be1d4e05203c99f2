//! Names and sizes of what is in an artifacts folder or in an object store. Both look the same: KIND/KEY/FILE, partial/KEY/ATTEMPT/FILE.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::artifacts::size_of;
use super::manifest::MANIFEST;
use super::remote::Remote;
use super::{Artifacts, StoreError};
use crate::stages::StageKind;

/// Names and sizes below one place.
pub(super) enum Inventory {
    /// Path of a folder.
    Folder(PathBuf),
    /// Sizes of objects by path, in bytes.
    Objects(BTreeMap<String, u64>),
}

impl Inventory {
    /// Lists the artifacts at their place.
    ///
    /// # Errors
    /// The object store does not answer.
    pub(super) fn of(artifacts: &Artifacts) -> Result<Self, StoreError> {
        artifacts.remote().map_or_else(|| Ok(Self::of_folder(artifacts)), Self::of_objects)
    }

    /// Lists what is on this machine.
    pub(super) fn of_folder(artifacts: &Artifacts) -> Self {
        Self::Folder(artifacts.root().to_owned())
    }

    fn of_objects(remote: &Remote) -> Result<Self, StoreError> {
        let wrong = |source| StoreError::Artifact { path: remote.address().to_owned(), source };
        let mut sizes = BTreeMap::new();
        for object in remote.objects().list("").map_err(wrong)? {
            *sizes.entry(path_of(&object.name)).or_default() += object.bytes;
        }
        Ok(Self::Objects(sizes))
    }

    /// Names of the entries in a folder, sorted. Empty if the folder does not exist.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Folder(root) => {
                let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().filter_map(Result::ok);
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
            }
            Self::Objects(sizes) => {
                let names = below(sizes, folder).filter_map(|(path, _)| path.split('/').next());
                names.map(str::to_owned).collect()
            }
        };
        names.sort();
        names.dedup();
        names
    }

    /// Total size of a file or folder in bytes; `None` if it does not exist.
    pub(super) fn bytes(&self, path: &Path) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Folder(root) => match size_of(&root.join(path)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(source) => Err(StoreError::Artifact { path: root.join(path), source }),
            },
            Self::Objects(sizes) => {
                let path = path.to_string_lossy();
                let parts = below(sizes, &path).map(|(_, bytes)| bytes).chain(sizes.get(&*path).copied());
                Ok(parts.reduce(|sum, bytes| sum + bytes))
            }
        }
    }
}

/// Objects below a folder, with their paths below it and their sizes.
fn below<'a>(sizes: &'a BTreeMap<String, u64>, folder: &str) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
    let folder = format!("{folder}/");
    let objects =
        sizes.range(folder.clone()..).map_while(move |(path, bytes)| Some((path.strip_prefix(&folder)?, *bytes)));
    objects.filter(|(path, _)| !path.is_empty())
}

/// Returns the path of an object without the digest of its artifact's manifest.
fn path_of(object: &str) -> String {
    match object.splitn(4, '/').collect::<Vec<_>>()[..] {
        [kind, key, _, file] if StageKind::named(kind).is_some() => format!("{kind}/{key}/{file}"),
        _ => object.to_owned(),
    }
}

impl Remote {
    /// Removes what an inventory calls `path`: all files of an artifact, one of them, or checkpoints.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        let wrong = |source| StoreError::Artifact { path: self.address().join(path), source };
        let name = path.to_string_lossy();
        match name.splitn(3, '/').collect::<Vec<_>>()[..] {
            [kind, key, file] if StageKind::named(kind).is_some() && file != MANIFEST => {
                let objects = self.objects().list(&format!("{kind}/{key}")).map_err(wrong)?;
                let names = objects.into_iter().map(|object| object.name).filter(|object| path_of(object) == name);
                self.objects().remove(&names.collect::<Vec<_>>()).map_err(wrong)
            }
            _ => self.remove_folder(&name).map_err(wrong),
        }
    }
}
