//! The manifest of a folder: one line per file that didact wrote, with its digest. A line is added before its file is published, so
//! that didact knows its files even if the process is killed at any instruction.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::AtomicFile;

/// File name of the manifest.
pub(super) const NAME: &str = ".didact-files.jsonl";

/// First line of the manifest, for people.
const HEADER: &str = r#"{"about":"files in this folder that didact wrote; didact replaces and removes no others"}"#;

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestEntry {
    /// Path below the folder, with `/` as separator.
    pub file: String,
    /// BLAKE3 digest of the content.
    pub blake3: String,
    /// Description of the output that the file belongs to.
    pub of: String,
}

/// The manifest of a folder.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    /// Entries by file.
    entries: Mutex<BTreeMap<String, Vec<ManifestEntry>>>,
}

impl Manifest {
    /// Reads the manifest of a folder. An unreadable manifest is empty, so that no file counts as written by didact.
    pub(super) fn read(folder: &Path) -> Self {
        let path = folder.join(NAME);
        let entries = Mutex::new(read_entries(&path));
        Self { path, entries }
    }

    /// Returns whether the manifest exists.
    pub(super) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Returns the entries of a file.
    pub(super) fn entries_of(&self, file: &str) -> Vec<ManifestEntry> {
        self.lock().get(file).cloned().unwrap_or_default()
    }

    /// Returns all entries.
    pub(super) fn all(&self) -> Vec<ManifestEntry> {
        self.lock().values().flatten().cloned().collect()
    }

    /// Adds the files that are about to be written; existing entries are not repeated.
    pub(super) fn add(&self, new: &[ManifestEntry]) -> io::Result<()> {
        let mut entries = self.lock();
        let new: Vec<&ManifestEntry> = new
            .iter()
            .filter(|entry| entries.get(&entry.file).is_none_or(|entries| !entries.contains(entry)))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        match fs::symlink_metadata(&self.path) {
            Ok(facts) if !facts.is_file() => return Err(io::Error::other("it is not a regular file")),
            // Complete the last line if a killed process left it unfinished.
            Ok(facts) if facts.len() > 0 => text.push_str(if ends_with_newline(&self.path)? { "" } else { "\n" }),
            _ => text.push_str(&format!("{HEADER}\n")),
        }
        for entry in &new {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        // Write all lines at once, so that those of two processes do not mix.
        File::options().append(true).create(true).open(&self.path)?.write_all(text.as_bytes())?;
        new.into_iter().for_each(|entry| entries.entry(entry.file.clone()).or_default().push(entry.clone()));
        Ok(())
    }

    /// Removes entries that are outdated; keeps those that another process has added.
    pub(super) fn retain(&self, keep: impl Fn(&ManifestEntry) -> bool) -> io::Result<()> {
        let mut entries = self.lock();
        *entries = read_entries(&self.path);
        entries.values_mut().for_each(|entries| entries.retain(&keep));
        entries.retain(|_, entries| !entries.is_empty());
        let mut file = AtomicFile::create(&self.path)?;
        writeln!(file, "{HEADER}")?;
        for entry in entries.values().flatten() {
            writeln!(file, "{}", serde_json::to_string(entry)?)?;
        }
        file.seal()?.publish()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<ManifestEntry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_with_newline(path: &Path) -> io::Result<bool> {
    let mut last = [0];
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Reads the entries of a manifest; skips a line that a killed process left unfinished.
fn read_entries(path: &Path) -> BTreeMap<String, Vec<ManifestEntry>> {
    let mut entries: BTreeMap<String, Vec<ManifestEntry>> = BTreeMap::new();
    let is_file = fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file());
    let text = if is_file { fs::read(path).unwrap_or_default() } else { Vec::new() };
    for entry in
        String::from_utf8_lossy(&text).lines().filter_map(|line| serde_json::from_str::<ManifestEntry>(line).ok())
    {
        entries.entry(entry.file.clone()).or_default().push(entry);
    }
    entries
}
