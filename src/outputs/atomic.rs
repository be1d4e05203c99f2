//! Atomic files: written under a temporary name, then renamed, so that a file is complete or absent.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of the next temporary file of this process.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file that replaces an older one when it is published, and leaves nothing behind if it is dropped before.
#[derive(Debug)]
pub struct AtomicFile {
    out: BufWriter<File>,
    digest: Box<blake3::Hasher>,
    rename: Option<Rename>,
}

/// A completely written file that still has its temporary name.
#[derive(Debug)]
pub struct SealedFile {
    /// BLAKE3 digest of the content.
    digest: String,
    rename: Option<Rename>,
}

/// Temporary and final path. A pipe or a device has none, because it is written directly.
#[derive(Debug)]
struct Rename {
    temporary: PathBuf,
    target: PathBuf,
}

impl AtomicFile {
    /// Starts a file at `path`; its folder must exist.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Replace the target of a link, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (out, rename) = match fs::metadata(&target) {
            Ok(facts) if !facts.is_file() => (File::options().write(true).open(&target)?, None),
            _ => {
                target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
                let (out, temporary) = temporary(&target)?;
                (out, Some(Rename { temporary, target }))
            }
        };
        Ok(Self { out: BufWriter::new(out), digest: Box::default(), rename })
    }

    /// Starts a file in `folder` that will be published at `target`, on the same file system. The target's folder must exist only
    /// when the file is published.
    pub(super) fn for_target(folder: &Path, target: PathBuf) -> io::Result<Self> {
        let (out, temporary) = temporary(&folder.join("file"))?;
        Ok(Self { out: BufWriter::new(out), digest: Box::default(), rename: Some(Rename { temporary, target }) })
    }

    /// Finishes writing; the older file still exists.
    pub fn seal(mut self) -> io::Result<SealedFile> {
        self.out.flush()?;
        Ok(SealedFile { digest: self.digest.finalize().to_hex().to_string(), rename: self.rename.take() })
    }
}

impl SealedFile {
    /// Returns the BLAKE3 digest of the content.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns whether it is a file with a target, not a pipe or device.
    pub(super) fn is_file(&self) -> bool {
        self.rename.is_some()
    }

    /// Renames the file to its target.
    pub fn publish(self) -> io::Result<()> {
        let Some(rename) = &self.rename else { return Ok(()) };
        rename.target.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&rename.temporary, &rename.target)
    }
}

/// Creates a new file next to `target`. Its name is short, because the target's name may have the maximum length.
fn temporary(target: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!(".didact-{}-{number}.tmp", std::process::id()));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return Ok((created?, path)),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Rename {
    fn drop(&mut self) {
        // After publishing, this file no longer exists. If it cannot be removed, it is only superfluous.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.seal()?.publish()
    }

    #[test]
    fn the_older_file_remains_until_the_new_one_is_published() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(format!("{}.csv", "n".repeat(250)));
        put(&path, b"old").expect("written");
        let mut unfinished = AtomicFile::create(&path).expect("begun");
        unfinished.write_all(b"new").expect("written");
        drop(unfinished);
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        let mut sealed = AtomicFile::create(&path).expect("begun");
        sealed.write_all(b"new").expect("written");
        let sealed = sealed.seal().expect("sealed");
        assert_eq!(sealed.digest(), blake3::hash(b"new").to_hex().as_str());
        drop(sealed);
        assert_eq!(fs::read(&path).expect("readable"), b"old");
        put(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "no temporary file remains");
    }

    #[test]
    #[cfg(unix)]
    fn devices_are_written_directly_and_folders_are_refused() {
        put(Path::new("/dev/null"), b"gone").expect("written to");
        assert!(!fs::metadata("/dev/null").expect("is there").is_file());
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(AtomicFile::create(folder.path()).is_err());
    }
}
