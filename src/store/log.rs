//! The write-ahead log of a store: whether the store has one, and whether it is missing.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::sqlite::with_suffix;

/// Pause before checking again. Another process may be about to create the log.
const RECHECK_PAUSE: Duration = Duration::from_millis(250);

/// Returns whether the store's header says that it has a log: the store is in use, or was not closed properly.
pub(super) fn needs_log(path: &Path) -> bool {
    let mut header = [0; 20];
    // Bytes 18 and 19 of the header are the write and the read version. The value 2 means write-ahead log.
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] == 2
}

/// Returns whether the log of a store is missing. SQLite opens a store without its log and reports no error.
pub(super) async fn log_is_missing(path: &Path) -> bool {
    let missing = || needs_log(path) && !with_suffix(path, "-wal").exists();
    if !missing() {
        return false;
    }
    tokio::time::sleep(RECHECK_PAUSE).await;
    missing()
}
