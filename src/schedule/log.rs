//! Writes the log of an attempt to a separate file, at any `--log` level.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static CURRENT: Mutex<Option<File>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<File>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Destination of log lines: the file of the current attempt, or nothing between attempts.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptLog;

/// Writer of one log line.
pub struct AttemptLogWriter(MutexGuard<'static, Option<File>>);

impl Write for AttemptLogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A log that cannot be written must not fail the attempt.
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
    type Writer = AttemptLogWriter;

    fn make_writer(&'a self) -> AttemptLogWriter {
        AttemptLogWriter(current())
    }
}

impl AttemptLog {
    /// Sends log lines to this file.
    pub(super) fn begin(path: &Path) {
        let open = || {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            File::options().create(true).append(true).open(path)
        };
        *current() = open()
            .map_err(|error| tracing::warn!(%error, path = %path.display(), "cannot open the attempt's log"))
            .ok();
    }

    /// Discards log lines.
    pub(super) fn end() {
        *current() = None;
    }
}
