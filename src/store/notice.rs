//! What a person should hear of the store at once, and which stores this process has open.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Store;

/// How a person is told something.
type Listener = fn(&str);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Stores to be closed at the end of the process.
static OPEN: Mutex<Vec<Store>> = Mutex::new(Vec::new());

/// The store that was opened last: messages of SQLite do not name their file.
static LATEST: Mutex<Option<PathBuf>> = Mutex::new(None);

/// From now on a person listens, and [`close_all`] is called before the process ends.
pub fn listen(listener: Listener) {
    let _ = LISTENER.set(listener);
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

/// Remembers an open store, so that the process leaves it in good order.
pub(super) fn remember(store: &Store) {
    if LISTENER.get().is_some() {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).push(store.clone());
    }
}

/// Closes every store that this process has opened: whichever way a verb ended.
pub async fn close_all() {
    let stores = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    for store in stores {
        store.close().await;
    }
}
