//! Which files of a folder didact wrote: a line each, with the digest of what was written. A line is added before its file takes its
//! place, so that a process may be killed at any instruction and its files are still known.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::WholeFile;

/// Its name.
pub(super) const NAME: &str = ".didact-files.jsonl";

/// What stands first in it, for people.
const HEAD: &str = r#"{"about":"the files here that didact wrote; it replaces and removes no others"}"#;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Its path below the folder, parts joined by `/`.
    pub file: String,
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// What it is part of.
    pub of: String,
}

/// The manifest of a folder.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    /// By file.
    lines: Mutex<BTreeMap<String, Vec<Line>>>,
}

impl Manifest {
    /// Of a folder. What cannot be read lists nothing: then no file is ours.
    pub(super) fn read(folder: &Path) -> Self {
        let path = folder.join(NAME);
        let lines = Mutex::new(lines(&path));
        Self { path, lines }
    }

    /// Whether there is one.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// What was written at a path.
    pub(super) fn of_file(&self, file: &str) -> Vec<Line> {
        self.known().get(file).cloned().unwrap_or_default()
    }

    /// All lines.
    pub(super) fn all(&self) -> Vec<Line> {
        self.known().values().flatten().cloned().collect()
    }

    /// Adds what is about to be written; what is listed already is not listed twice.
    pub(super) fn add(&self, new: &[Line]) -> io::Result<()> {
        let mut known = self.known();
        let new: Vec<&Line> =
            new.iter().filter(|line| known.get(&line.file).is_none_or(|lines| !lines.contains(line))).collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        match fs::symlink_metadata(&self.path) {
            Ok(facts) if !facts.is_file() => return Err(io::Error::other("it is not a regular file")),
            // What a killed process has torn is ended first.
            Ok(facts) if facts.len() > 0 => text.push_str(if ends_a_line(&self.path)? { "" } else { "\n" }),
            _ => text.push_str(&format!("{HEAD}\n")),
        }
        for line in &new {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        // At once, so that the lines of two processes do not mix.
        File::options().append(true).create(true).open(&self.path)?.write_all(text.as_bytes())?;
        new.into_iter().for_each(|line| known.entry(line.file.clone()).or_default().push(line.clone()));
        Ok(())
    }

    /// Leaves out lines that are no longer true; those that another process has added stay.
    pub(super) fn retain(&self, keep: impl Fn(&Line) -> bool) -> io::Result<()> {
        let mut known = self.known();
        *known = lines(&self.path);
        known.values_mut().for_each(|lines| lines.retain(&keep));
        known.retain(|_, lines| !lines.is_empty());
        let mut file = WholeFile::create(&self.path)?;
        writeln!(file, "{HEAD}")?;
        for line in known.values().flatten() {
            writeln!(file, "{}", serde_json::to_string(line)?)?;
        }
        file.seal()?.keep()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut last = [0];
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The lines of a file; one that a killed process has torn is none.
fn lines(path: &Path) -> BTreeMap<String, Vec<Line>> {
    let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let is_file = fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file());
    let text = if is_file { fs::read(path).unwrap_or_default() } else { Vec::new() };
    for line in String::from_utf8_lossy(&text).lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        lines.entry(line.file.clone()).or_default().push(line);
    }
    lines
}
