//! Destination of a large result: standard output, or a file that is complete or absent.

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::{announce_moved_files, write_failure};
use crate::outputs::{AtomicFile, ForeignFiles, OutputFolder};

/// An open destination; `shown` is the file's path as the user gave it.
pub(super) enum Destination {
    Standard(BufWriter<Stdout>),
    File { shown: PathBuf, folder: OutputFolder, name: OsString, file: AtomicFile },
}

impl Destination {
    /// Opens the file at `path`, or standard output without a path. `output` describes the content.
    ///
    /// An existing file is replaced if didact wrote it; `foreign` decides about any other file.
    pub(super) fn open(path: Option<&Path>, output: &str, foreign: ForeignFiles) -> Result<Self, Failure> {
        let Some(shown) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout()))) };
        // Replace the target of a link, not the link.
        let path = shown.canonicalize().unwrap_or_else(|_| shown.to_owned());
        let failure = |error: io::Error| write_failure(&shown.display().to_string(), error);
        let name = path.file_name().ok_or_else(|| failure(ErrorKind::InvalidInput.into()))?.to_owned();
        let folder = OutputFolder::open(path.parent().unwrap_or(Path::new("")), output);
        if path.metadata().is_ok_and(|facts| facts.is_file()) {
            folder.make_room(&[Path::new(&name)], foreign)?.iter().for_each(announce_moved_files);
        }
        let file = AtomicFile::create(&path).map_err(failure)?;
        Ok(Self::File { shown: shown.to_owned(), folder, name, file })
    }

    /// Publishes the file if it was `written` completely. A closed output pipe is not an error.
    pub(super) fn close(self, written: io::Result<()>) -> Result<(), Failure> {
        let (to, closed) = match self {
            Self::Standard(mut out) => ("standard output".to_owned(), written.and_then(|()| out.flush())),
            Self::File { shown, folder, name, file } => match written.and_then(|()| file.seal()) {
                Ok(sealed) => return Ok(folder.publish(vec![(name.into(), sealed)])?),
                Err(error) => (shown.display().to_string(), Err(error)),
            },
        };
        match closed {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(write_failure(&to, error)),
            _ => Ok(()),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}
