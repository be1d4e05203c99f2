//! Where a result goes that may be long: standard output, or a file that is whole or not there.

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::{tell_aside, unwritten};
use crate::outputs::{AtomicFile, ForeignFiles, OutputFolder};

/// An open destination.
pub(super) enum Destination {
    Standard(BufWriter<Stdout>),
    File { shown: PathBuf, folder: OutputFolder, name: OsString, file: AtomicFile },
}

impl Destination {
    /// The file at `path`; without one, standard output. `of`: what is written. A file that is there already is replaced if it is one
    /// that didact wrote; what happens to any other says `foreign`.
    pub(super) fn open(path: Option<&Path>, of: &str, foreign: ForeignFiles) -> Result<Self, Failure> {
        let Some(shown) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout()))) };
        // Where a link leads there is the file that would be replaced.
        let path = shown.canonicalize().unwrap_or_else(|_| shown.to_owned());
        let unwritable = |error: io::Error| unwritten(&shown.display().to_string(), error);
        let name = path.file_name().ok_or_else(|| unwritable(ErrorKind::InvalidInput.into()))?.to_owned();
        let folder = OutputFolder::open(path.parent().unwrap_or(Path::new("")), of);
        if path.metadata().is_ok_and(|facts| facts.is_file()) {
            folder.make_room(&[Path::new(&name)], foreign)?.iter().for_each(tell_aside);
        }
        let file = AtomicFile::create(&path).map_err(unwritable)?;
        Ok(Self::File { shown: shown.to_owned(), folder, name, file })
    }

    /// Ends what was `written`: a file that is not whole does not take its place. A reader that has gone is no error.
    pub(super) fn close(self, written: io::Result<()>) -> Result<(), Failure> {
        let (to, closed) = match self {
            Self::Standard(mut out) => ("standard output".to_owned(), written.and_then(|()| out.flush())),
            Self::File { shown, folder, name, file } => match written.and_then(|()| file.seal()) {
                Ok(sealed) => return Ok(folder.publish(vec![(name.into(), sealed)])?),
                Err(error) => (shown.display().to_string(), Err(error)),
            },
        };
        match closed {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&to, error)),
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
