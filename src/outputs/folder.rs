//! An output folder that may contain foreign files: didact neither overwrites nor removes those.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::manifest::{Manifest, ManifestEntry};
use super::{AtomicFile, OutputError, SealedFile};

/// Subfolder for files that are moved aside; if it exists, a number is appended.
pub(super) const ASIDE_FOLDER: &str = "replaced";

/// What to do with foreign files that have the names of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignFiles {
    /// Write nothing and return an error.
    Refuse,
    /// Move them aside.
    MoveAside,
}

impl ForeignFiles {
    /// Returns the value for the flag `--force`.
    pub fn forced(force: bool) -> Self {
        if force { Self::MoveAside } else { Self::Refuse }
    }
}

/// Where a command writes its output.
#[derive(Debug, Clone, Copy)]
pub struct OutputPlace<'a> {
    /// Output folder.
    pub folder: &'a Path,
    /// What to do with foreign files that have the names of the output.
    pub foreign: ForeignFiles,
}

/// Files that were moved aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Folder that contains them now.
    pub folder: PathBuf,
    /// Names below this folder, equal to those below the output folder.
    pub files: Vec<String>,
}

/// A folder with the output of a command.
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
    /// Description of the output, such as "report of sweep a".
    output: String,
    manifest: Manifest,
}

/// What exists at a path.
enum FileState {
    /// Nothing, or an empty file.
    Free,
    /// A file of this output, unchanged.
    Own,
    /// A file of this output that somebody has changed.
    Changed,
    /// An unchanged file of another output, whose description is given.
    OfAnotherOutput(String),
    /// Something that didact did not write, at the given path: the path itself, or a parent that is a link or not a folder.
    Foreign(PathBuf),
}

impl OutputFolder {
    /// Opens a folder, which may not exist. `output` describes what the files belong to, such as "report of sweep a".
    pub fn open(root: &Path, output: &str) -> Self {
        Self { root: root.to_owned(), output: output.to_owned(), manifest: Manifest::read(root) }
    }

    /// Returns whether the folder has a manifest of didact's files.
    pub fn has_manifest(&self) -> bool {
        self.manifest.exists()
    }

    /// Checks whether these files could be written now, without changing anything.
    ///
    /// # Errors
    /// [`OutputError::ForeignFiles`] lists the files that would be overwritten.
    pub fn check(&self, files: &[impl AsRef<Path>]) -> Result<(), OutputError> {
        self.files_to_move(files, ForeignFiles::Refuse).map(|_| ())
    }

    /// Makes room for these files. Files of this output remain until they are replaced; those that somebody changed are moved aside.
    ///
    /// # Errors
    /// [`OutputError::ForeignFiles`] if other files have these names and must not be moved; then nothing was changed.
    pub fn make_room(
        &self,
        files: &[impl AsRef<Path>],
        foreign: ForeignFiles,
    ) -> Result<Option<MovedAside>, OutputError> {
        let moved = self.files_to_move(files, foreign)?;
        if moved.is_empty() {
            return Ok(None);
        }
        let folder = self.create_aside_folder().map_err(|error| OutputError::write(&self.root, error))?;
        for path in &moved {
            let to = folder.join(path);
            to.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(self.root.join(path), &to))
                .map_err(|error| OutputError::write(&to, error))?;
        }
        Ok(Some(MovedAside { folder, files: moved.iter().map(|path| text(path)).collect() }))
    }

    /// Writes one file, after [`Self::make_room`].
    pub fn write(&self, file: &Path, bytes: &[u8]) -> Result<(), OutputError> {
        self.publish(vec![(file.to_owned(), self.write_temporary(file, bytes)?)])
    }

    /// Writes all files in their order, and removes the other files of this output. If a file cannot be written (for instance on a full
    /// disk), nothing is changed.
    ///
    /// # Errors
    /// Those of [`Self::make_room`]; the folder cannot be written.
    pub fn update(
        &self,
        files: &[(String, Vec<u8>)],
        foreign: ForeignFiles,
    ) -> Result<Option<MovedAside>, OutputError> {
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        self.files_to_move(&names, foreign)?;
        let write = |(file, bytes): &(String, Vec<u8>)| {
            Ok((PathBuf::from(file), self.write_temporary(Path::new(file), bytes)?))
        };
        let sealed: Vec<(PathBuf, SealedFile)> = files.iter().map(write).collect::<Result<_, _>>()?;
        let aside = self.make_room(&names, foreign)?;
        self.publish(sealed)?;
        self.remove_others(&names)?;
        Ok(aside)
    }

    /// Publishes files that were written under temporary names in this folder.
    pub fn publish(&self, files: Vec<(PathBuf, SealedFile)>) -> Result<(), OutputError> {
        let entries: Vec<ManifestEntry> = files
            .iter()
            .filter(|(_, sealed)| sealed.is_file())
            .map(|(file, sealed)| ManifestEntry {
                file: text(file),
                blake3: sealed.digest().to_owned(),
                of: self.output.clone(),
            })
            .collect();
        self.manifest
            .add(&entries)
            .map_err(|error| OutputError::write(&self.root.join(super::manifest::NAME), error))?;
        for (file, sealed) in files {
            sealed.publish().map_err(|error| OutputError::write(&self.root.join(file), error))?;
        }
        Ok(())
    }

    /// Removes files of this output that are not in `files`; keeps those that somebody changed.
    fn remove_others(&self, files: &[impl AsRef<Path>]) -> Result<(), OutputError> {
        let current: BTreeSet<String> = files.iter().map(|file| text(file.as_ref())).collect();
        for entry in self.manifest.all() {
            let path = Path::new(&entry.file);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            if entry.of == self.output
                && !current.contains(&entry.file)
                && is_below
                && matches!(self.state(path), FileState::Own)
            {
                // A file that cannot be removed is only superfluous.
                let _ = fs::remove_file(self.root.join(path));
            }
        }
        let digests: BTreeSet<(String, Option<String>)> =
            current.iter().map(|file| (file.clone(), digest(&self.root.join(file)).ok())).collect();
        let is_current = |entry: &ManifestEntry| {
            entry.of != self.output || digests.contains(&(entry.file.clone(), Some(entry.blake3.clone())))
        };
        self.manifest
            .retain(is_current)
            .map_err(|error| OutputError::write(&self.root.join(super::manifest::NAME), error))
    }

    /// Returns the paths below the folder that must be moved before these files can be written.
    fn files_to_move(
        &self,
        files: &[impl AsRef<Path>],
        foreign: ForeignFiles,
    ) -> Result<BTreeSet<PathBuf>, OutputError> {
        if fs::metadata(&self.root).is_ok_and(|facts| !facts.is_dir()) {
            return Err(OutputError::write(&self.root, io::ErrorKind::NotADirectory.into()));
        }
        let paths: Vec<PathBuf> = files.iter().map(|file| file.as_ref().to_owned()).collect();
        // Compute the digests in parallel: files may have gigabytes.
        let states: Vec<FileState> = paths.par_iter().map(|path| self.state(path)).collect();
        let (mut moved, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for (path, state) in paths.into_iter().zip(states) {
            match state {
                FileState::Free | FileState::Own => {}
                FileState::Changed => drop(moved.insert(path)),
                FileState::OfAnotherOutput(of) => {
                    refused.insert(format!("{} ({of})", text(&path)));
                    moved.insert(path);
                }
                FileState::Foreign(path) => {
                    refused.insert(text(&path));
                    moved.insert(path);
                }
            }
        }
        match foreign {
            ForeignFiles::Refuse if !refused.is_empty() => {
                Err(OutputError::ForeignFiles { folder: self.root.clone(), files: refused.into_iter().collect() })
            }
            _ => Ok(moved),
        }
    }

    fn state(&self, file: &Path) -> FileState {
        for above in file.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            // A link would lead out of the folder.
            if fs::symlink_metadata(self.root.join(above)).is_ok_and(|facts| !facts.is_dir()) {
                return FileState::Foreign(above.to_owned());
            }
        }
        let path = self.root.join(file);
        match fs::symlink_metadata(&path) {
            Err(_) => return FileState::Free,
            Ok(facts) if facts.is_file() && facts.len() == 0 => return FileState::Free,
            Ok(facts) if !facts.is_file() => return FileState::Foreign(file.to_owned()),
            Ok(_) => {}
        }
        let written = self.manifest.entries_of(&text(file));
        let Some(last) = written.last() else { return FileState::Foreign(file.to_owned()) };
        let Ok(digest) = digest(&path) else { return FileState::Foreign(file.to_owned()) };
        let as_written: Vec<&ManifestEntry> = written.iter().filter(|entry| entry.blake3 == digest).collect();
        match as_written.first() {
            Some(_) if as_written.iter().any(|entry| entry.of == self.output) => FileState::Own,
            Some(entry) => FileState::OfAnotherOutput(entry.of.clone()),
            None if last.of == self.output => FileState::Changed,
            None => FileState::Foreign(file.to_owned()),
        }
    }

    /// Creates a new folder for files that are moved aside.
    fn create_aside_folder(&self) -> io::Result<PathBuf> {
        for number in 1.. {
            let name = if number == 1 { ASIDE_FOLDER.to_owned() } else { format!("{ASIDE_FOLDER}-{number}") };
            match fs::create_dir(self.root.join(&name)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|()| self.root.join(name)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn write_temporary(&self, file: &Path, bytes: &[u8]) -> Result<SealedFile, OutputError> {
        let path = self.root.join(file);
        let write = || {
            fs::create_dir_all(&self.root)?;
            // Not in the target's folder: a parent of the target may still have to be moved aside.
            let mut temporary = AtomicFile::for_target(&self.root, path.clone())?;
            temporary.write_all(bytes)?;
            temporary.seal()
        };
        write().map_err(|error| OutputError::write(&path, error))
    }
}

/// Returns the BLAKE3 digest of a file.
fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Returns a path below the folder as the manifest stores it.
fn text(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
