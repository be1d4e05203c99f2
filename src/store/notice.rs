//! What a person should hear of the store at once, and of which store.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

/// How a person is told something.
type Listener = fn(&str);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// The store that was opened last: messages of SQLite do not name their file.
static LATEST: Mutex<Option<PathBuf>> = Mutex::new(None);

/// From now on a person listens, and [`close_all`](super::close_all) is called before the process ends.
pub fn listen(listener: Listener) {
    let _ = LISTENER.set(listener);
}

/// Whether a person listens.
pub(super) fn is_heard() -> bool {
    LISTENER.get().is_some()
}

/// Tells the person.
pub(super) fn tell(text: &str) {
    match LISTENER.get() {
        Some(listener) => listener(text),
        None => tracing::warn!("{text}"),
    }
}

/// Remembers the store that is being opened, for messages.
pub(super) fn name(path: PathBuf) {
    *LATEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
}

/// The store that messages are about.
pub(super) fn named() -> PathBuf {
    LATEST.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}
