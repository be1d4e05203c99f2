//! The masks of one kind of defect: found by the image's stem, whatever their endings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::listing::{children, ending, file_name, file_stem, images};
use crate::data::DataError;

/// Endings of masks that are read, the preferred first; JPEG blurs values, so that 0 is no longer 0.
const ENDINGS: [&str; 2] = ["png", "bmp"];

/// What a folder of masks holds, by stem.
#[derive(Debug, Default)]
pub(super) struct MaskFolder {
    /// Masks of images, the preferred first.
    files: BTreeMap<String, Vec<PathBuf>>,
    /// Folders with several masks of one image each.
    folders: BTreeMap<String, PathBuf>,
}

impl MaskFolder {
    /// Lists a folder; one that is not there has no masks.
    pub(super) fn open(folder: &Path) -> Result<Self, DataError> {
        let mut masks = Self::default();
        if !folder.is_dir() {
            return Ok(masks);
        }
        for path in children(folder)? {
            if path.is_dir() {
                masks.folders.insert(file_name(&path), path);
            } else {
                masks.files.entry(file_stem(&path)).or_default().push(path);
            }
        }
        for files in masks.files.values_mut() {
            files.sort_by_key(|path| ENDINGS.iter().position(|known| *known == ending(path)).unwrap_or(ENDINGS.len()));
        }
        Ok(masks)
    }

    /// The masks of the image with this stem: `<stem>_mask.*`, else `<stem>.*`, else all in the folder `<stem>`; none where there
    /// is nothing.
    pub(super) fn of(&self, stem: &str) -> Result<Vec<PathBuf>, DataError> {
        let named = [format!("{stem}_mask"), stem.to_owned()];
        let Some(path) = named.iter().find_map(|name| self.files.get(name)?.first()) else {
            return match self.folders.get(stem) {
                Some(folder) => images(folder)?.into_iter().map(lossless).collect(),
                None => Ok(Vec::new()),
            };
        };
        Ok(vec![lossless(path.clone())?])
    }
}

/// A mask whose values are what was written.
fn lossless(path: PathBuf) -> Result<PathBuf, DataError> {
    match ENDINGS.contains(&ending(&path).as_str()) {
        true => Ok(path),
        false => Err(DataError::MaskFormat { path }),
    }
}
