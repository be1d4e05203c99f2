//! Lists what is in a folder.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::data::DataError;

/// File name extensions of images, lower case.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "webp"];

/// Names that operating systems and programs give to entries they create in folders, lower case.
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

/// Returns whether an entry is hidden or was made by an operating system. Such an entry is never an image, a mask, a kind or a category.
pub(super) fn is_of_the_system(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with('.') || OF_SYSTEMS.contains(&name.to_lowercase().as_str())
}

/// Lists all entries of a folder, sorted by name.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |source| DataError::Io { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Lists the entries of a folder, sorted by name, without hidden ones and those of the operating system.
pub(super) fn children(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?.into_iter().filter(|path| !is_of_the_system(path)).collect())
}

/// Lists the folders in a folder, sorted by name.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    keep(children(folder)?, is_folder)
}

/// Lists the image files in a folder, sorted by name.
pub(crate) fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    keep(children(folder)?, |path| Ok(is_image(path) && is_file(path)?))
}

fn keep(paths: Vec<PathBuf>, wanted: impl Fn(&Path) -> Result<bool, DataError>) -> Result<Vec<PathBuf>, DataError> {
    paths.into_iter().filter_map(|path| wanted(&path).map(|wanted| wanted.then_some(path)).transpose()).collect()
}

/// Returns the metadata at a path, with links followed; `None` if nothing exists there or a link leads nowhere or in a circle.
///
/// # Errors
/// Fails if a folder above cannot be looked into, because its content is unknown then.
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

/// Returns whether the path is a folder.
pub(super) fn is_folder(path: &Path) -> Result<bool, DataError> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Returns whether the path is a file.
pub(super) fn is_file(path: &Path) -> Result<bool, DataError> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_file()))
}

/// Returns the extension of a file name, lower case.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Returns whether a file has an image extension.
pub(crate) fn is_image(path: &Path) -> bool {
    ENDINGS.contains(&ending(path).as_str())
}

/// Returns the last part of a path.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Returns the last part of a path, without its extension.
pub(in crate::data) fn file_stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Returns a name in Unicode's composed form: macOS writes `é` as two characters, other systems as one.
pub(in crate::data) fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// Returns a path below a category's folder, with `/` between its parts.
pub(super) fn below(category: &Path, path: &Path) -> String {
    path.strip_prefix(category).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Returns the path of a folder below a category from its name in a sweep file or a layout. An empty name means the category itself.
pub(super) fn place(category: &Path, name: &str) -> PathBuf {
    category.join(name).components().collect()
}
