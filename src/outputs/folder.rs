//! A folder that results are written to, in which other files may stand: those are neither overwritten nor removed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::manifest::{Line, Manifest};
use super::{OutputError, Sealed, WholeFile};

/// The folder below it that takes what has to make room; a number follows where that is there already.
pub(super) const ASIDE: &str = "replaced";

/// What happens to files in the way that are not the command's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// Nothing is written.
    Refuse,
    /// They are moved aside.
    SetAside,
}

impl Foreign {
    /// As `--force` says.
    pub fn forced(force: bool) -> Self {
        if force { Self::SetAside } else { Self::Refuse }
    }
}

/// Where a command writes to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// What happens to files in the way that are not the command's own.
    pub foreign: Foreign,
}

/// Files that had to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Where they are now.
    pub folder: PathBuf,
    /// Their names below it, which are those below the folder that they stood in.
    pub files: Vec<String>,
}

/// A folder of results.
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
    /// What is written is part of this.
    of: String,
    manifest: Manifest,
}

/// What stands in a place.
enum State {
    /// Nothing, or an empty file.
    Free,
    /// What this command wrote, as it was written.
    Ours,
    /// What didact wrote, and someone has changed.
    Changed,
    /// What didact wrote, as part of something else.
    Another(String),
    /// What didact did not write, at this path: the place itself, or a folder on the way to it that is none or a link.
    Foreign(PathBuf),
}

impl OutputFolder {
    /// Opens a folder, which need not be there. `of`: what the files are part of, such as "report of sweep a".
    pub fn open(root: &Path, of: &str) -> Self {
        Self { root: root.to_owned(), of: of.to_owned(), manifest: Manifest::read(root) }
    }

    /// Whether didact has kept account of its files here.
    pub fn is_known(&self) -> bool {
        self.manifest.is_there()
    }

    /// Tells whether these files could be written now. Nothing is changed.
    ///
    /// # Errors
    /// [`OutputError::NotOurs`] names what is in the way.
    pub fn look(&self, files: &[impl AsRef<Path>]) -> Result<(), OutputError> {
        self.in_the_way(files, Foreign::Refuse).map(|_| ())
    }

    /// Makes room for these files. What this command wrote stays until it is replaced; what someone has changed of it is moved aside.
    ///
    /// # Errors
    /// [`OutputError::NotOurs`] where anything else is in the way and must not be moved; then nothing was changed.
    pub fn make_room(&self, files: &[impl AsRef<Path>], foreign: Foreign) -> Result<Option<Aside>, OutputError> {
        let moved = self.in_the_way(files, foreign)?;
        if moved.is_empty() {
            return Ok(None);
        }
        let folder = self.aside().map_err(|error| OutputError::write(&self.root, error))?;
        for path in &moved {
            let to = folder.join(path);
            to.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(self.root.join(path), &to))
                .map_err(|error| OutputError::write(&to, error))?;
        }
        Ok(Some(Aside { folder, files: moved.iter().map(|path| text(path)).collect() }))
    }

    /// Writes one file, for which there is room.
    pub fn put(&self, file: &Path, bytes: &[u8]) -> Result<(), OutputError> {
        self.keep(vec![(file.to_owned(), self.stage(file, bytes)?)])
    }

    /// Writes all files, in their order, and removes what was part of the same thing before and is none of them. As long as one cannot be
    /// written (a full disk), nothing else is changed.
    ///
    /// # Errors
    /// As [`Self::make_room`]; a folder that cannot be written.
    pub fn update(&self, files: &[(String, Vec<u8>)], foreign: Foreign) -> Result<Option<Aside>, OutputError> {
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        self.in_the_way(&names, foreign)?;
        let stage = |(file, bytes): &(String, Vec<u8>)| Ok((PathBuf::from(file), self.stage(Path::new(file), bytes)?));
        let staged: Vec<(PathBuf, Sealed)> = files.iter().map(stage).collect::<Result<_, _>>()?;
        let aside = self.make_room(&names, foreign)?;
        self.keep(staged)?;
        self.remove_others(&names)?;
        Ok(aside)
    }

    /// Puts files that were written elsewhere in this folder into their places.
    pub fn keep(&self, files: Vec<(PathBuf, Sealed)>) -> Result<(), OutputError> {
        let lines: Vec<Line> = files
            .iter()
            .filter(|(_, sealed)| sealed.is_file())
            .map(|(file, sealed)| Line { file: text(file), blake3: sealed.digest().to_owned(), of: self.of.clone() })
            .collect();
        self.manifest.add(&lines).map_err(|error| OutputError::write(&self.root.join(super::manifest::NAME), error))?;
        for (file, sealed) in files {
            sealed.keep().map_err(|error| OutputError::write(&self.root.join(file), error))?;
        }
        Ok(())
    }

    /// Removes what was part of the same thing before and is none of `files`; what someone has changed stays.
    fn remove_others(&self, files: &[impl AsRef<Path>]) -> Result<(), OutputError> {
        let current: BTreeSet<String> = files.iter().map(|file| text(file.as_ref())).collect();
        for line in self.manifest.all() {
            let path = Path::new(&line.file);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            if line.of == self.of
                && !current.contains(&line.file)
                && is_below
                && matches!(self.state(path), State::Ours)
            {
                // What stays is only a file too many.
                let _ = fs::remove_file(self.root.join(path));
            }
        }
        let digests: BTreeSet<(String, Option<String>)> =
            current.iter().map(|file| (file.clone(), digest(&self.root.join(file)).ok())).collect();
        let is_true =
            |line: &Line| line.of != self.of || digests.contains(&(line.file.clone(), Some(line.blake3.clone())));
        self.manifest.retain(is_true).map_err(|error| OutputError::write(&self.root.join(super::manifest::NAME), error))
    }

    /// What has to be moved before these files can be written: paths below the folder.
    fn in_the_way(&self, files: &[impl AsRef<Path>], foreign: Foreign) -> Result<BTreeSet<PathBuf>, OutputError> {
        if fs::metadata(&self.root).is_ok_and(|facts| !facts.is_dir()) {
            return Err(OutputError::write(&self.root, io::ErrorKind::NotADirectory.into()));
        }
        let paths: Vec<PathBuf> = files.iter().map(|file| file.as_ref().to_owned()).collect();
        // Digests of gigabytes are made side by side.
        let states: Vec<State> = paths.par_iter().map(|path| self.state(path)).collect();
        let (mut moved, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for (path, state) in paths.into_iter().zip(states) {
            match state {
                State::Free | State::Ours => {}
                State::Changed => drop(moved.insert(path)),
                State::Another(of) => {
                    refused.insert(format!("{} ({of})", text(&path)));
                    moved.insert(path);
                }
                State::Foreign(path) => {
                    refused.insert(text(&path));
                    moved.insert(path);
                }
            }
        }
        match foreign {
            Foreign::Refuse if !refused.is_empty() => {
                Err(OutputError::NotOurs { folder: self.root.clone(), files: refused.into_iter().collect() })
            }
            _ => Ok(moved),
        }
    }

    fn state(&self, file: &Path) -> State {
        for above in file.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            // A link would lead out of the folder.
            if fs::symlink_metadata(self.root.join(above)).is_ok_and(|facts| !facts.is_dir()) {
                return State::Foreign(above.to_owned());
            }
        }
        let path = self.root.join(file);
        match fs::symlink_metadata(&path) {
            Err(_) => return State::Free,
            Ok(facts) if facts.is_file() && facts.len() == 0 => return State::Free,
            Ok(facts) if !facts.is_file() => return State::Foreign(file.to_owned()),
            Ok(_) => {}
        }
        let written = self.manifest.of_file(&text(file));
        let Some(last) = written.last() else { return State::Foreign(file.to_owned()) };
        let Ok(digest) = digest(&path) else { return State::Foreign(file.to_owned()) };
        let as_written: Vec<&Line> = written.iter().filter(|line| line.blake3 == digest).collect();
        match as_written.first() {
            Some(_) if as_written.iter().any(|line| line.of == self.of) => State::Ours,
            Some(line) => State::Another(line.of.clone()),
            None if last.of == self.of => State::Changed,
            None => State::Foreign(file.to_owned()),
        }
    }

    /// A new folder for what makes room.
    fn aside(&self) -> io::Result<PathBuf> {
        for number in 1.. {
            let name = if number == 1 { ASIDE.to_owned() } else { format!("{ASIDE}-{number}") };
            match fs::create_dir(self.root.join(&name)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| self.root.join(name)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn stage(&self, file: &Path, bytes: &[u8]) -> Result<Sealed, OutputError> {
        let path = self.root.join(file);
        let write = || {
            fs::create_dir_all(&self.root)?;
            // Not beside its place: what leads there may still have to make room.
            let mut whole = WholeFile::for_place(&self.root, path.clone())?;
            whole.write_all(bytes)?;
            whole.seal()
        };
        write().map_err(|error| OutputError::write(&path, error))
    }
}

/// BLAKE3 of a file's bytes.
fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// A path below the folder as the manifest has it.
fn text(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
