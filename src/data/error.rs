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
    /// No category was found.
    #[error("there is no category in {root}; {help}")]
    NoCategory {
        /// Where.
        root: PathBuf,
        /// What would be right.
        help: String,
    },
    /// What lies there is arranged otherwise than the sweep file says.
    #[error("{path} is not arranged as data.layout = \"{wanted}\" says ({expected}); it looks like {found}")]
    OtherLayout {
        /// The root, or a category.
        path: PathBuf,
        /// The layout of the sweep file.
        wanted: &'static str,
        /// What that layout expects.
        expected: &'static str,
        /// What lies there.
        found: String,
    },
    /// Categories of several layouts lie below one root.
    #[error(
        "{root} holds categories of several layouts: {found}; set data.layout to one, or list data.categories of one"
    )]
    Mixed {
        /// Where.
        root: PathBuf,
        /// The layouts with their categories.
        found: String,
    },
    /// A table that comes with a data set says something that cannot be.
    #[error("{path}, line {line}, column `{column}`: {message}; expected {help}")]
    Table {
        /// Where.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// Its column's name.
        column: &'static str,
        /// What is wrong.
        message: String,
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
    #[error("{path} is not a readable image: {reason}; didact reads PNG, JPEG, BMP, TIFF and WebP")]
    Decode {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An image with more pixels than any is read with.
    #[error("{path} is {width}×{height} pixels, of which at most {most} are read; cut or scale it", most = super::decode::MOST_PIXELS)]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A mask in a format that changes its values.
    #[error(
        "mask {path} is neither PNG nor BMP: other formats blur it, so that normal pixels are no longer 0; write it as PNG"
    )]
    MaskFormat {
        /// Where.
        path: PathBuf,
    },
    /// Mask and image differ in size.
    #[error("mask {mask} is {mask_size}, its image {image} is {image_size}: they must have the same size{hint}")]
    MaskSize {
        /// The mask.
        mask: String,
        /// Its size.
        mask_size: String,
        /// The image.
        image: String,
        /// Its size.
        image_size: String,
        /// What may be the reason.
        hint: &'static str,
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
        what: String,
        /// Of which category.
        category: String,
        /// Images found.
        count: usize,
        /// Images needed.
        least: usize,
    },
    /// A split that would leave a part empty.
    #[error(
        "{held_out} of {images} training image(s) would be held out: at least 1 must be, and at least 1 be trained on"
    )]
    Split {
        /// Normal images that are there to be split.
        images: usize,
        /// How many would be held out.
        held_out: usize,
    },
    /// An image of `data.held_out` that is not there.
    #[error("data.held_out lists {image}, which is no training image; expected paths below {root} such as {example}")]
    HeldOut {
        /// As listed.
        image: String,
        /// The data set.
        root: String,
        /// One that would be right.
        example: String,
    },
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
