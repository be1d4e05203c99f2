//! The manifest of an artifact: size and digest of each file. It is stored with the files, so that damage is found before they are read.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// File name of the manifest in the artifact's folder.
pub(super) const MANIFEST: &str = "files.json";

/// Size and digest of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileFacts {
    pub bytes: u64,
    pub blake3: String,
}

/// All files of an artifact except the manifest itself, by path below the artifact's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    files: BTreeMap<String, FileFacts>,
}

/// A file of an artifact that differs from what was published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {what}")]
pub struct Damage {
    /// Path of the file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl Damage {
    /// Returns the damage of a file or folder that does not exist.
    pub(super) fn missing(path: PathBuf) -> Self {
        Self { path, what: "is missing".to_owned() }
    }

    /// Returns the damage of a file with another content.
    pub(super) fn changed(path: PathBuf) -> Self {
        Self { path, what: "differs from the published file".to_owned() }
    }

    /// Returns the damage of an artifact for which the store has no row.
    pub(super) fn unrecorded(path: PathBuf) -> Self {
        Self { path, what: "is not recorded in the store, although its stage is done".to_owned() }
    }
}

/// Which files of an artifact are verified, and how thoroughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyScope<'a> {
    /// Existence and size of all files. Spare files may be missing.
    Sizes,
    /// Existence, size and digest of all files. Spare files may be missing.
    Digests,
    /// Existence, size and digest of all files. Spare files must exist.
    Everything,
    /// Existence, size and digest of these files only.
    Files(&'a [&'a str]),
}

impl VerifyScope<'_> {
    fn includes(self, name: &str) -> bool {
        match self {
            Self::Files(names) => names.contains(&name),
            _ => true,
        }
    }
}

/// Tells which files of an artifact are spare. `None` means no file. See [`Stage::SPARE`](crate::stages::Stage::SPARE).
pub(super) type Spare = Option<fn(&str) -> bool>;

impl Manifest {
    /// Lists the current files of a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut paths = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() && name_below(folder, entry.path()) != MANIFEST {
                paths.push(entry.into_path());
            }
        }
        let facts = |path: &PathBuf| {
            let bytes = std::fs::metadata(path)?.len();
            Ok((name_below(folder, path), FileFacts { bytes, blake3: hash(path)? }))
        };
        let files: io::Result<Vec<_>> = paths.par_iter().map(facts).collect();
        Ok(Self { files: files?.into_iter().collect() })
    }

    /// Writes the manifest into the folder atomically and returns its digest. The caller makes it durable.
    pub(super) fn write(&self, folder: &Path) -> io::Result<String> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        let temporary = folder.join(format!("{MANIFEST}.tmp"));
        std::fs::write(&temporary, &text)?;
        std::fs::rename(&temporary, folder.join(MANIFEST))?;
        Ok(blake3::hash(&text).to_hex().to_string())
    }

    /// Reads the manifest of a folder and returns it with its digest.
    pub(super) fn read(folder: &Path) -> Result<(Self, String), Damage> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Damage::missing(path.clone()),
            _ => Damage { path: path.clone(), what: format!("cannot be read: {error}") },
        })?;
        Self::parse(&text, &path)
    }

    /// Reads a manifest from its text and returns it with its digest. `path` is the place of the text, for errors.
    pub(super) fn parse(text: &[u8], path: &Path) -> Result<(Self, String), Damage> {
        match serde_json::from_slice(text) {
            Ok(manifest) => Ok((manifest, blake3::hash(text).to_hex().to_string())),
            Err(_) => Err(Damage { path: path.to_owned(), what: "is not a valid list of files".to_owned() }),
        }
    }

    /// The files, by path below the artifact's folder.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &FileFacts)> {
        self.files.iter().map(|(name, facts)| (name.as_str(), facts))
    }

    /// Compares the files in the folder with the manifest.
    pub(super) fn compare(&self, folder: &Path, scope: VerifyScope<'_>, spare: Spare) -> Result<(), Damage> {
        let may_lack = |name: &str| scope != VerifyScope::Everything && spare.is_some_and(|is_spare| is_spare(name));
        let check = |(name, facts): (&String, &FileFacts)| check_file(&folder.join(name), facts, scope, may_lack(name));
        self.files.par_iter().filter(|(name, _)| scope.includes(name)).try_for_each(check)
    }

    /// Returns the files in the folder that the manifest does not list.
    pub(super) fn unknown(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files = entries.filter(|entry| !entry.file_type().is_dir());
        let is_unknown = |path: &Path| {
            let name = name_below(folder, path);
            name != MANIFEST && !self.files.contains_key(&name)
        };
        files.map(walkdir::DirEntry::into_path).filter(|path| is_unknown(path)).collect()
    }
}

fn check_file(path: &Path, facts: &FileFacts, scope: VerifyScope<'_>, may_lack: bool) -> Result<(), Damage> {
    let damage = |what: String| Err(Damage { path: path.to_owned(), what });
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_lack => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Damage::missing(path.to_owned())),
        Err(error) => return damage(format!("cannot be read: {error}")),
    };
    if metadata.len() != facts.bytes {
        return damage(format!("has {} bytes; the published file had {}", metadata.len(), facts.bytes));
    }
    if scope == VerifyScope::Sizes {
        return Ok(());
    }
    match digest_of(path) {
        Ok(digest) if digest == facts.blake3 => Ok(()),
        Ok(_) => Err(Damage::changed(path.to_owned())),
        Err(error) => damage(format!("cannot be read: {error}")),
    }
}

/// Time of a file's last change, as far as the system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    node: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Maximum number of remembered digests. A long sweep reads many files only once.
const MAX_DIGESTS: usize = 10_000;

/// Digests of files that this process has read. Many stages read the same features.
static DIGESTS: LazyLock<Mutex<HashMap<PathBuf, (Stamp, String)>>> = LazyLock::new(Mutex::default);

/// Returns the digest of a file. Each process reads a file once, and again only if the file has changed.
fn digest_of(path: &Path) -> io::Result<String> {
    let stamp = Stamp::of(&std::fs::metadata(path)?);
    let digests = || DIGESTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((seen, digest)) = digests().get(path)
        && *seen == stamp
    {
        return Ok(digest.clone());
    }
    let digest = hash(path)?;
    if Stamp::of(&std::fs::metadata(path)?) == stamp {
        let mut digests = digests();
        if digests.len() >= MAX_DIGESTS {
            digests.clear();
        }
        digests.insert(path.to_owned(), (stamp, digest.clone()));
    }
    Ok(digest)
}

/// Reads the file instead of mapping it: a mapped file that is truncated meanwhile would end the process.
fn hash(path: &Path) -> io::Result<String> {
    Ok(blake3::Hasher::new().update_reader(File::open(path)?)?.finalize().to_hex().to_string())
}

/// Returns a path relative to a folder, with slashes.
fn name_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("inner")).expect("created");
        for (name, text) in [("inner/maps.f32", "0123"), ("epoch-0001.safetensors", "weights"), ("a.json", "{}")] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    #[test]
    fn an_intact_artifact_matches_its_manifest_and_equal_files_have_equal_manifests() {
        let (first, second) = (folder(), folder());
        let digests = [&first, &second].map(|folder| {
            let manifest = Manifest::of(folder.path()).expect("listed");
            let digest = manifest.write(folder.path()).expect("written");
            let (read, again) = Manifest::read(folder.path()).expect("a manifest");
            assert_eq!((read, &again), (manifest, &digest));
            digest
        });
        assert_eq!(digests[0], digests[1]);
        let (manifest, _) = Manifest::read(first.path()).expect("a manifest");
        for scope in
            [VerifyScope::Sizes, VerifyScope::Digests, VerifyScope::Everything, VerifyScope::Files(&["a.json"])]
        {
            assert_eq!(manifest.compare(first.path(), scope, None), Ok(()));
        }
        std::fs::write(first.path().join("inner/notes.txt"), "mine").expect("written");
        assert_eq!(manifest.unknown(first.path()), [first.path().join("inner/notes.txt")]);
    }

    #[test]
    fn missing_short_and_changed_files_are_reported() {
        let folder = folder();
        let manifest = Manifest::of(folder.path()).expect("listed");
        let file = folder.path().join("inner/maps.f32");
        let compare = |scope| manifest.compare(folder.path(), scope, None).map_err(|damage| damage.what);
        std::fs::write(&file, "01\x003").expect("written");
        assert_eq!(compare(VerifyScope::Sizes), Ok(()));
        assert_eq!(compare(VerifyScope::Digests), Err("differs from the published file".to_owned()));
        assert_eq!(compare(VerifyScope::Files(&["a.json"])), Ok(()));
        std::fs::write(&file, "012").expect("written");
        assert_eq!(compare(VerifyScope::Sizes), Err("has 3 bytes; the published file had 4".to_owned()));
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(compare(VerifyScope::Sizes), Err("is missing".to_owned()));
    }

    #[test]
    fn spare_files_may_be_collected_unless_they_are_needed() {
        let folder = folder();
        let manifest = Manifest::of(folder.path()).expect("listed");
        std::fs::remove_file(folder.path().join("epoch-0001.safetensors")).expect("removed");
        let compare = |scope, spare| manifest.compare(folder.path(), scope, spare).map_err(|damage| damage.what);
        let spare: Spare = Some(|name| name.starts_with("epoch-"));
        assert_eq!(compare(VerifyScope::Digests, spare), Ok(()));
        for needed in [compare(VerifyScope::Everything, spare), compare(VerifyScope::Digests, None)] {
            assert_eq!(needed, Err("is missing".to_owned()));
        }
    }

    #[test]
    fn a_missing_or_invalid_manifest_is_damage() {
        let folder = folder();
        assert_eq!(Manifest::read(folder.path()).map_err(|damage| damage.what), Err("is missing".to_owned()));
        std::fs::write(folder.path().join(MANIFEST), "\0\0\0").expect("written");
        assert!(Manifest::read(folder.path()).is_err());
    }
}
