//! Where a result goes that may be long: standard output, or a file that is whole or not there.

use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::output::unwritten;
use crate::report::WholeFile;

/// An open destination.
pub(super) enum Destination {
    Standard(BufWriter<Stdout>),
    File(PathBuf, WholeFile),
}

impl Destination {
    /// The file at `path`; without one, standard output.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout()))) };
        let file = WholeFile::create(path).map_err(|error| unwritten(&path.display().to_string(), &error))?;
        Ok(Self::File(path.to_owned(), file))
    }

    /// Ends what was `written`: a file that is not whole does not take its place. A reader that has gone is no error.
    pub(super) fn close(self, written: io::Result<()>) -> Result<(), Failure> {
        let (to, closed) = match self {
            Self::Standard(mut out) => ("standard output".to_owned(), written.and_then(|()| out.flush())),
            Self::File(path, file) => (path.display().to_string(), written.and_then(|()| file.keep())),
        };
        match closed {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&to, &error)),
            _ => Ok(()),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(_, file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(_, file) => file.flush(),
        }
    }
}
