//! How data sets lie on disk: recognised by what is there, read into categories with their labels and masks.
//!
//! Every layout but VisA as it comes is one description of folders ([`super::FolderSettings`]) and one reader.

mod arrangement;
mod find;
mod folders;
mod listing;
mod masks;
#[cfg(test)]
mod miniature;
#[cfg(test)]
mod tests;
mod visa;

pub(super) use find::find;
pub(crate) use listing::is_image;

use super::Sample;

/// The images of one category as they lie there, before anything is held out; each list in the order of the paths.
#[derive(Debug, Clone, PartialEq)]
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
}
