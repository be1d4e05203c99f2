//! Messages about the store that a person should see at once.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Function that shows a message to a person.
type Listener = fn(&str);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// The store that was opened last. Error messages of SQLite do not name their file.
static LATEST: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Sets the listener that shows messages to a person. The caller then calls [`close_all`](super::close_all) before the process ends.
pub fn set_listener(listener: Listener) {
    let _ = LISTENER.set(listener);
}

/// Returns whether a listener is set.
pub(super) fn has_listener() -> bool {
    LISTENER.get().is_some()
}

/// Shows a message to the person, or logs it if no listener is set.
pub(super) fn show(text: &str) {
    match LISTENER.get() {
        Some(listener) => listener(text),
        None => tracing::warn!("{text}"),
    }
}

/// Remembers the store that is being opened, for error messages.
pub(super) fn remember_store(path: PathBuf) {
    *LATEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
}

/// Returns the store that error messages name.
pub(super) fn latest_store() -> PathBuf {
    LATEST.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}
