//! What lies in a folder.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::data::DataError;

/// Endings of image files, lower case.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "webp"];

/// What a folder holds, sorted by name, hidden entries left out.
pub(super) fn children(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    WalkDir::new(folder)
        .min_depth(1)
        .max_depth(1)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_name().to_string_lossy().starts_with('.')))
        .map(|entry| {
            entry.map(walkdir::DirEntry::into_path).map_err(|error| DataError::Io {
                path: error.path().unwrap_or(folder).to_owned(),
                source: error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links")),
            })
        })
        .collect()
}

/// The folders in a folder, sorted by name.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(children(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The image files in a folder, sorted by name.
pub(super) fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(children(folder)?.into_iter().filter(|path| path.is_file() && is_image(path)).collect())
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
pub(super) fn file_stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A path below a category's folder, with `/` between its parts.
pub(super) fn below(category: &Path, path: &Path) -> String {
    path.strip_prefix(category).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
