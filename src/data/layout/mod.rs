//! Layouts of data sets on disk: recognises them by their files and reads categories with labels and masks.
//!
//! Every layout without a table is one description of folders ([`super::FolderSettings`]), read by one reader.

mod account;
mod arrangement;
mod find;
mod folders;
mod guard;
mod listing;
mod masks;
#[cfg(test)]
mod miniature;
mod places;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod visa;

pub use account::{Unused, Why};
pub(super) use account::{account, unused};
pub(super) use find::{Found, find};
pub(crate) use listing::is_image;
pub(super) use listing::{composed, file_stem};
pub(crate) use places::{has_signs, shortest};

use std::path::PathBuf;

use super::Sample;

/// The images of one category as found on disk, before any are held out; each list is sorted by path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parts {
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
}
