//! Files that are whole or not there: written beside, renamed into place.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Temporary files of this process are numbered.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file that takes the place of an older one when it is kept, and leaves nothing when it is dropped before.
#[derive(Debug)]
pub struct WholeFile {
    out: BufWriter<File>,
    digest: Box<blake3::Hasher>,
    moves: Option<Moves>,
}

/// A file of which all bytes are on the way to the disk, beside its place.
#[derive(Debug)]
pub struct Sealed {
    /// BLAKE3 of its bytes.
    digest: String,
    moves: Option<Moves>,
}

/// Where a file is written, and its place; none where something that is no file (a pipe, a device) is written to as it is.
#[derive(Debug)]
struct Moves {
    temporary: PathBuf,
    place: PathBuf,
}

impl WholeFile {
    /// Begins a file at `path`; its folder must be there.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Where a link leads there is what is replaced, not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (out, moves) = match fs::metadata(&place) {
            Ok(facts) if !facts.is_file() => (File::options().write(true).open(&place)?, None),
            _ => {
                place.file_name().ok_or(io::ErrorKind::InvalidInput)?;
                let (out, temporary) = temporary(&place)?;
                (out, Some(Moves { temporary, place }))
            }
        };
        Ok(Self { out: BufWriter::new(out), digest: Box::default(), moves })
    }

    /// Begins a file in `folder` that is to stand at `place`, on the same file system; only when it is kept, the folder of its place must
    /// be there.
    pub(super) fn for_place(folder: &Path, place: PathBuf) -> io::Result<Self> {
        let (out, temporary) = temporary(&folder.join("file"))?;
        Ok(Self { out: BufWriter::new(out), digest: Box::default(), moves: Some(Moves { temporary, place }) })
    }

    /// Ends writing; the older file still stands.
    pub fn seal(mut self) -> io::Result<Sealed> {
        self.out.flush()?;
        Ok(Sealed { digest: self.digest.finalize().to_hex().to_string(), moves: self.moves.take() })
    }
}

impl Sealed {
    /// BLAKE3 of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether it is a file that takes a place, and no pipe or device.
    pub(super) fn is_file(&self) -> bool {
        self.moves.is_some()
    }

    /// Puts it in its place.
    pub fn keep(self) -> io::Result<()> {
        let Some(moves) = &self.moves else { return Ok(()) };
        moves.place.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&moves.temporary, &moves.place)
    }
}

/// A new file beside `place`. Its name is short: that of the place may be as long as names can be.
fn temporary(place: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = place.with_file_name(format!(".didact-{}-{number}.tmp", std::process::id()));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return Ok((made?, path)),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Moves {
    fn drop(&mut self) {
        // Of a file that was kept nothing is left there; what stays otherwise is only a file too many.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = WholeFile::create(path)?;
        file.write_all(bytes)?;
        file.seal()?.keep()
    }

    #[test]
    fn an_older_file_stays_until_the_new_one_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(format!("{}.csv", "n".repeat(250)));
        put(&path, b"old").expect("written");
        let mut torn = WholeFile::create(&path).expect("begun");
        torn.write_all(b"new").expect("written");
        drop(torn);
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        let mut sealed = WholeFile::create(&path).expect("begun");
        sealed.write_all(b"new").expect("written");
        let sealed = sealed.seal().expect("sealed");
        assert_eq!(sealed.digest(), blake3::hash(b"new").to_hex().as_str());
        drop(sealed);
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        put(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing is left beside it");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_replaced() {
        put(Path::new("/dev/null"), b"gone").expect("written to");
        assert!(!fs::metadata("/dev/null").expect("is there").is_file());
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(WholeFile::create(folder.path()).is_err());
    }
}
