//! The log of an attempt: a file of its own, whatever `--log` says.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static CURRENT: Mutex<Option<File>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<File>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where log lines go while an attempt runs: nowhere between attempts.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptLog;

/// One line on its way.
pub struct Line(MutexGuard<'static, Option<File>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A log that cannot be written must not cost the attempt.
        if let Some(file) = self.0.as_mut() {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for AttemptLog {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(current())
    }
}

impl AttemptLog {
    /// Lines go to this file from now on.
    pub(super) fn begin(path: &Path) {
        let open = || {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            File::options().create(true).append(true).open(path)
        };
        *current() =
            open().map_err(|error| tracing::warn!(%error, path = %path.display(), "no log of this attempt")).ok();
    }

    /// Nowhere from now on.
    pub(super) fn end() {
        *current() = None;
    }
}
