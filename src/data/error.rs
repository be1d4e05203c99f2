//! What can be wrong with images, masks and folders.

use std::path::PathBuf;

use crate::cause::Cause;

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
    #[error("{path}, line {line}, column `{column}`: {source}; expected {help}")]
    Table {
        /// Where.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// Its column's name.
        column: &'static str,
        /// What is wrong.
        #[source]
        source: Cause,
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
    #[error("{path} is not a readable image: {source}; didact reads PNG, JPEG, BMP, TIFF and WebP")]
    Decode {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
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
        "mask {path} is a JPEG or WebP file: such formats blur it, so that normal pixels are no longer 0; write it as PNG, \
         or set data.mask_threshold = 127"
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
    /// Two names of one folder.
    #[error(
        "data.folder names {one} and {other}, which are the same folder below {category}; name another folder, or patterns of \
         different files such as \"{one}/*.jpg\""
    )]
    SameFolder {
        /// The category's folder.
        category: PathBuf,
        /// One name.
        one: String,
        /// The other.
        other: String,
    },
    /// One file as two things.
    #[error("{one} ({one_is}) and {other} ({other_is}) of {category} are the same file; no image may be both")]
    SameFile {
        /// The category.
        category: String,
        /// One name.
        one: String,
        /// What it is.
        one_is: String,
        /// The other name.
        other: String,
        /// What it is.
        other_is: String,
    },
    /// Two images of one folder of which one may be the mask of the other.
    #[error(
        "{one} and {other} of {category} have one stem: is one the mask of the other? Say which files are images by a pattern \
         (layout = \"folder\", normals = \"train/*.jpg\") or by layout = \"table\", or rename one"
    )]
    Pair {
        /// The category.
        category: String,
        /// One image.
        one: String,
        /// The other.
        other: String,
    },
    /// One mask for two images.
    #[error("{one} and {other} of {category} share the mask {mask}; give each a mask of its own name or folder")]
    SharedMask {
        /// The mask.
        mask: PathBuf,
        /// The category.
        category: String,
        /// One image.
        one: String,
        /// The other.
        other: String,
    },
    /// A folder of normal images among the kinds of defects.
    #[error(
        "{folder} would be a kind of defect, but sounds like normal images; move them to {expected}, or rename the folder"
    )]
    NormalKind {
        /// The folder.
        folder: PathBuf,
        /// Where normal test images lie.
        expected: String,
    },
    /// A mask whose colours say nothing, but whose alpha channel does.
    #[error(
        "mask {path} is of one colour and has its shape in the alpha channel; write it as a grey PNG, 0 where nothing is wrong"
    )]
    MaskAlpha {
        /// Where.
        path: PathBuf,
    },
    /// Defective test images without masks, where the sweep file refuses them.
    #[error(
        "{count} defective test image(s) of {category} have no mask, such as {image}; data.unmasked = \"leave-out\" leaves them out of \
         the test, \"void\" leaves pixel metrics undefined"
    )]
    Unmasked {
        /// The category.
        category: String,
        /// The first.
        image: String,
        /// How many.
        count: usize,
    },
    /// A share of test normals where there are some, or none to draw from.
    #[error("data.test_normals_share cannot be taken of {category}: {reason}")]
    Share {
        /// The category.
        category: String,
        /// Why.
        reason: String,
    },
    /// A pattern of files that is none.
    #[error("data.folder has the pattern \"{pattern}\": {}; expected one such as \"train/*.jpg\"", source.msg)]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong.
        #[source]
        source: glob::PatternError,
    },
}
