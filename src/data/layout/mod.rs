//! How data sets lie on disk: recognised by what is there, read into categories with their labels and masks.
//!
//! Every layout but those with a table is one description of folders ([`super::FolderSettings`]) and one reader.

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

/// The images of one category as they lie there, before anything is held out; each list in the order of the paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parts {
    /// The category's name.
    pub name: String,
    /// Where the training images lie, for messages.
    pub train_place: String,
    /// Normal images to train on.
    pub train: Vec<Sample>,
    /// Where normal images lie that the data set itself holds out, if it does.
    pub validation_place: Option<String>,
    /// These images.
    pub validation: Vec<Sample>,
    /// Test images.
    pub test: Vec<Sample>,
    /// Normal images of which `data.test_normals_share` are drawn for the test.
    pub pool: Vec<Sample>,
    /// Its folder; none where it has none of its own.
    pub folder: Option<PathBuf>,
    /// Folders that hold nothing but masks.
    pub mask_folders: Vec<PathBuf>,
    /// Other files that are used, e.g. a table.
    pub known: Vec<PathBuf>,
}
