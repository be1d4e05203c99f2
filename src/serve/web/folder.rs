//! The temporary folder of a server, and the removal of the folders that killed servers have left.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::data::regular;

/// Beginning of the names of these folders.
const PREFIX: &str = "didact-serve-";

/// Name of the file in the folder that the server locks while it runs.
const LOCK: &str = "server.lock";

/// A temporary folder. Its server removes it when it ends; if that server was killed, the next one does.
#[derive(Debug)]
pub(super) struct ServerFolder {
    folder: TempDir,
    /// Locked as long as this exists.
    _lock: File,
}

impl ServerFolder {
    /// Creates a folder that only this user can read, and removes abandoned ones.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written.
    pub(super) fn create() -> io::Result<Self> {
        remove_abandoned(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // The file gets its name when it is locked: a folder with an unlocked file is an abandoned one.
        let unnamed = folder.path().join("unnamed.lock");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes folders whose servers were killed. What cannot be read or removed belongs to other users, and stays.
fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let lock = is_ours.then(|| regular::open(&entry.path().join(LOCK)).ok()).flatten();
        if lock.is_some_and(|lock| lock.try_lock().is_ok()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_servers_are_removed() {
        let running = ServerFolder::create().expect("a folder");
        let parent = tempfile::tempdir().expect("a folder");
        let folder = |name: &str, files: &[&str]| {
            let folder = parent.path().join(name);
            std::fs::create_dir(&folder).expect("created");
            files.iter().for_each(|file| std::fs::write(folder.join(file), "").expect("written"));
            folder
        };
        let abandoned = folder("didact-serve-abandoned", &[LOCK, "page"]);
        let starting = folder("didact-serve-starting", &["unnamed.lock"]);
        let foreign = folder("other", &[LOCK]);
        let held = folder("didact-serve-held", &[]);
        std::fs::hard_link(running.path().join(LOCK), held.join(LOCK)).expect("the same file");
        remove_abandoned(parent.path());
        assert_eq!([abandoned, starting, foreign, held].map(|folder| folder.exists()), [false, true, true, true]);
    }
}
