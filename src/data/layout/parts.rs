//! The images of a category as a layout finds them.

use std::path::PathBuf;

use crate::data::Sample;

/// The images of one category as found on disk, before any are held out; each list is sorted by path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::data) struct Parts {
    /// The category's name.
    pub name: String,
    /// Location of the training images, for messages.
    pub train_place: String,
    /// Normal images to train on.
    pub train: Vec<Sample>,
    /// Location of the data set's own validation images, if it has any.
    pub validation_place: Option<String>,
    /// The data set's own validation images, which are normal.
    pub validation: Vec<Sample>,
    /// Test images.
    pub test: Vec<Sample>,
    /// Normal images from which the share `data.test_normals_share` is drawn for the test.
    pub pool: Vec<Sample>,
    /// Folder of the category; `None` if it has none of its own.
    pub folder: Option<PathBuf>,
    /// Folders that hold only masks.
    pub mask_folders: Vec<PathBuf>,
    /// Other files that are used, e.g. a table.
    pub known: Vec<PathBuf>,
    /// The file with the saturation areas of its defects, if there is one. It is also among `known`.
    pub saturation: Option<PathBuf>,
}
