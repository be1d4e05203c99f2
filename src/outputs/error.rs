//! Errors of writing results.

use std::io;
use std::path::{Path, PathBuf};

/// Maximum number of names in a message; it then gives the number of further names.
const MAX_LISTED: usize = 8;

/// Why results could not be written. Each message says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Files that this command did not write have the names of its output. Nothing was changed.
    #[error(
        "{} contains files that this command did not write and would overwrite: {}; name another folder, or add --force to move them \
         to {}",
        folder.display(), listed(files), folder.join(super::folder::ASIDE_FOLDER).display()
    )]
    ForeignFiles {
        /// Output folder.
        folder: PathBuf,
        /// Names below the folder, each with the output that it belongs to, if known.
        files: Vec<String>,
    },
    /// The folder for data contains other files. Nothing was changed.
    #[error("{} already contains other files: {}; name another folder", folder.display(), listed(files))]
    Occupied {
        /// Output folder.
        folder: PathBuf,
        /// Names below the folder.
        files: Vec<String>,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}; name another folder", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl OutputError {
    /// Creates the error for a file that could not be written.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}

/// Lists names: "a.png, b.png and 12 more".
fn listed(files: &[String]) -> String {
    let more = files.len().saturating_sub(MAX_LISTED);
    let named = files.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}
