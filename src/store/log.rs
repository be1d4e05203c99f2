//! The write-ahead log of a store: whether it has one, and whether that is missing.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::sqlite::beside;

/// A file without a log may be one that another process is just about to use.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Whether a store's header says that it has a log: it is in use, or was not left in good order.
pub(super) fn needs_log(path: &Path) -> bool {
    let mut header = [0; 20];
    // Bytes 18 and 19: the versions that write and read it; 2 is the write-ahead log.
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] == 2
}

/// Whether the log of a store is missing. SQLite takes such a file as it is.
pub(super) async fn log_is_missing(path: &Path) -> bool {
    let missing = || needs_log(path) && !beside(path, "-wal").exists();
    if !missing() {
        return false;
    }
    tokio::time::sleep(LOOK_AGAIN).await;
    missing()
}
