//! Files that are whole or not there: written beside, renamed into place.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes bytes; an older file stays until all of them are on the way to the disk.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.keep()
}

/// A file that takes the place of an older one when it is kept, and leaves nothing when it is dropped before.
#[derive(Debug)]
pub struct WholeFile {
    out: BufWriter<File>,
    /// Where it is written, and its place; none where something that is no file (a pipe, a device) is written to as it is.
    moves: Option<(PathBuf, PathBuf)>,
}

impl WholeFile {
    /// Begins a file at `path`; its folder must be there.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Where a link leads there is what is replaced, not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&place).is_ok_and(|facts| !facts.is_file()) {
            return Ok(Self { out: BufWriter::new(File::options().write(true).open(&place)?), moves: None });
        }
        let mut name = place.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = place.with_file_name(name);
        Ok(Self { out: BufWriter::new(File::create(&temporary)?), moves: Some((temporary, place)) })
    }

    /// Puts it in its place.
    pub fn keep(mut self) -> io::Result<()> {
        self.out.flush()?;
        if let Some((temporary, place)) = &self.moves {
            fs::rename(temporary, place)?;
            self.moves = None;
        }
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.moves {
            // What stays is only a file too many.
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_stays_until_the_new_one_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.csv");
        put(&path, b"old").expect("written");
        let mut torn = WholeFile::create(&path).expect("begun");
        torn.write_all(b"new").expect("written");
        drop(torn);
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        put(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing is left beside it");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_replaced() {
        WholeFile::create(Path::new("/dev/null")).and_then(WholeFile::keep).expect("written to");
        assert!(!fs::metadata("/dev/null").expect("is there").is_file());
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(WholeFile::create(folder.path()).is_err());
    }
}
