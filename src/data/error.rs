//! What can be wrong with images, masks and folders.

use std::path::PathBuf;

/// Every message says what is wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A folder that must be there is not.
    #[error("{what} {path} does not exist; {help}")]
    Missing {
        /// What it would be.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What would be right.
        help: String,
    },
    /// A folder could not be listed or a file not read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not an image that didact can decode.
    #[error("{path} is not a readable image: {reason}; didact reads PNG, JPEG and BMP")]
    Decode {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Mask and image differ in size.
    #[error("mask {mask} is {mask_size}, its image {image} is {image_size}: they must have the same size")]
    MaskSize {
        /// The mask.
        mask: String,
        /// Its size.
        mask_size: String,
        /// The image.
        image: String,
        /// Its size.
        image_size: String,
    },
    /// A category that the data set does not have.
    #[error("there is no category `{name}` in {root}; found: {found}{hint}")]
    UnknownCategory {
        /// Asked for.
        name: String,
        /// Where.
        root: String,
        /// Those that are there.
        found: String,
        /// A near name.
        hint: String,
    },
    /// A part that must hold images holds too few.
    #[error("{what} of {category} has {count} image(s), needs at least {least}")]
    TooFew {
        /// Which part.
        what: &'static str,
        /// Of which category.
        category: String,
        /// Images found.
        count: usize,
        /// Images needed.
        least: usize,
    },
    /// A split of so few images would leave a part empty.
    #[error("{0} image(s) in train/good cannot be split: at least 2 are needed (a fifth is held out)")]
    Split(usize),
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
