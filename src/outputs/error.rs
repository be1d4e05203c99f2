//! Why results cannot be written where they were asked for.

use std::io;
use std::path::{Path, PathBuf};

/// Names that a message lists; of more it tells how many there are.
const MOST_NAMED: usize = 8;

/// Every message says what is in the way, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Files that didact did not write, or wrote for something else, have the names of what is to be written. Nothing was changed.
    #[error(
        "{} holds files that would be overwritten and that are not this command's own: {}; name another place, or add --force, which \
         moves them to {}",
        folder.display(), listed(files), folder.join(super::folder::ASIDE).display()
    )]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// Their names below it, each with whose it is where that is known.
        files: Vec<String>,
    },
    /// Other files stand where data are to be written. Nothing was changed.
    #[error("{} holds other files already: {}; name another folder", folder.display(), listed(files))]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// Their names below it.
        files: Vec<String>,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}; name another folder", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl OutputError {
    /// A file that could not be written.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}

/// "a.png, b.png and 12 more".
fn listed(files: &[String]) -> String {
    let more = files.len().saturating_sub(MOST_NAMED);
    let named = files.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}
