//! What lies in a folder.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::data::DataError;

/// Endings of image files, lower case.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "webp"];

/// Names that systems and programs give to what they leave in folders, lower case.
const OF_SYSTEMS: [&str; 10] = [
    "@eadir",
    "#recycle",
    "@recycle",
    "__macosx",
    "__pycache__",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "desktop.ini",
];

/// Whether an entry is hidden, or was made by a system rather than by a person: never an image, a mask, a kind or a category.
pub(super) fn is_of_the_system(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with('.') || OF_SYSTEMS.contains(&name.to_lowercase().as_str())
}

/// All that a folder holds, sorted by name.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |source| DataError::Io { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// What a folder holds, sorted by name, without what is hidden or of the system.
pub(super) fn children(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?.into_iter().filter(|path| !is_of_the_system(path)).collect())
}

/// The folders in a folder, sorted by name.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    keep(children(folder)?, is_folder)
}

/// The image files in a folder, sorted by name.
pub(super) fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    keep(children(folder)?, |path| Ok(is_image(path) && is_file(path)?))
}

fn keep(paths: Vec<PathBuf>, wanted: impl Fn(&Path) -> Result<bool, DataError>) -> Result<Vec<PathBuf>, DataError> {
    paths.into_iter().filter_map(|path| wanted(&path).map(|wanted| wanted.then_some(path)).transpose()).collect()
}

/// What lies at a path, links followed; none where there is nothing, or a link that leads nowhere.
///
/// # Errors
/// A folder above may not be looked into: what it holds is unknown.
pub(super) fn metadata(path: &Path) -> Result<Option<Metadata>, DataError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) if is_loop(&error) => Ok(None),
        Err(source) => {
            let closed = path.ancestors().skip(1).find(|folder| std::fs::metadata(folder).is_ok()).unwrap_or(path);
            Err(DataError::Io { path: closed.to_owned(), source })
        }
    }
}

#[cfg(unix)]
fn is_loop(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
fn is_loop(_: &std::io::Error) -> bool {
    false
}

/// Whether a folder lies there.
pub(super) fn is_folder(path: &Path) -> Result<bool, DataError> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Whether a file lies there.
pub(super) fn is_file(path: &Path) -> Result<bool, DataError> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_file()))
}

/// The ending of a file's name, lower case.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Whether a file has the ending of an image.
pub(crate) fn is_image(path: &Path) -> bool {
    ENDINGS.contains(&ending(path).as_str())
}

/// The last part of a path.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The last part of a path, without its ending.
pub(in crate::data) fn file_stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name in Unicode's composed form: macOS writes `é` as two characters, other systems as one.
pub(in crate::data) fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// A path below a category's folder, with `/` between its parts.
pub(super) fn below(category: &Path, path: &Path) -> String {
    path.strip_prefix(category).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// A folder below a category, as a sweep file or a layout names it; an empty name is the category itself.
pub(super) fn place(category: &Path, name: &str) -> PathBuf {
    category.join(name).components().collect()
}
