//! Where the images of MVTec AD 2's private sets lie, and where their maps go.

use std::path::{Path, PathBuf};

use crate::data::{DataError, images_in};
use crate::names::named_enum;

/// Number of private images of the published data set.
pub(super) const PUBLISHED_IMAGES: usize = 4090;

/// Folder of the anomaly maps.
pub(super) const MAPS: &str = "anomaly_images";
/// Folder of the maps cut at the threshold.
pub(super) const THRESHOLDED: &str = "anomaly_images_thresholded";

named_enum! {
    /// A private test set of each object. Its labels are on the server only.
    pub enum Split {
        /// Images under the lighting of the training images.
        Private = "test_private",
        /// Images under mixed lighting, some of which was never seen in training.
        PrivateMixed = "test_private_mixed",
    }
}

/// Returns the private images of an object, sorted by name.
///
/// # Errors
/// The folder is missing, cannot be read, or has no image.
pub(super) fn private_images(root: &Path, object: &str, split: Split) -> Result<Vec<PathBuf>, DataError> {
    let folder = root.join(object).join(split.name());
    let missing = |help: &str| DataError::Missing { what: "folder", path: folder.clone(), help: help.to_owned() };
    if !folder.is_dir() {
        return Err(missing("name the folder that holds the objects of MVTec AD 2 with --data ROOT"));
    }
    let images = images_in(&folder)?;
    match images.is_empty() {
        true => {
            Err(DataError::TooFew { what: split.name().to_owned(), category: object.to_owned(), count: 0, least: 1 })
        }
        false => Ok(images),
    }
}

/// Returns the place of an image's map below the folder of the submission.
pub(super) fn map_place(object: &str, split: Split, stem: &str) -> PathBuf {
    place(MAPS, object, split, stem, "tiff")
}

/// Returns the place of an image's cut map below the folder of the submission.
pub(super) fn thresholded_place(object: &str, split: Split, stem: &str) -> PathBuf {
    place(THRESHOLDED, object, split, stem, "png")
}

fn place(tree: &str, object: &str, split: Split, stem: &str, ending: &str) -> PathBuf {
    Path::new(tree).join(object).join(split.name()).join(format!("{stem}.{ending}"))
}

/// Returns a file's name without its extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
