//! Errors in images, masks and folders.

use std::path::PathBuf;

use crate::cause::Cause;

/// An error in the data. Every message says what is wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A required folder does not exist.
    #[error("{what} {path} does not exist; {help}")]
    Missing {
        /// What the folder would be.
        what: &'static str,
        /// Path of the folder.
        path: PathBuf,
        /// What would be right.
        help: String,
    },
    /// The root has no category.
    #[error("there is no category in {root}; {help}")]
    NoCategory {
        /// The root.
        root: PathBuf,
        /// What would be right.
        help: String,
    },
    /// The arrangement on disk differs from the layout in the sweep file.
    #[error("{path} is not arranged as data.layout = \"{wanted}\" says ({expected}); it looks like {found}")]
    OtherLayout {
        /// Path of the root or of a category.
        path: PathBuf,
        /// The layout of the sweep file.
        wanted: &'static str,
        /// What that layout expects.
        expected: &'static str,
        /// What the folder looks like.
        found: String,
    },
    /// One root holds categories of several layouts.
    #[error(
        "{root} holds categories of several layouts: {found}; set data.layout to one, or list data.categories of one"
    )]
    Mixed {
        /// The root.
        root: PathBuf,
        /// The layouts with their categories.
        found: String,
    },
    /// A table of a data set has an invalid value.
    #[error("{path}, line {line}, column `{column}`: {source}; expected {help}")]
    Table {
        /// Path of the table.
        path: PathBuf,
        /// Line in the table, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What is wrong.
        #[source]
        source: Cause,
        /// What would be right.
        help: String,
    },
    /// A folder could not be listed or a file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Path of the folder or file.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: std::io::Error,
    },
    /// A file is not an image that didact can decode.
    #[error("{path} is not a readable image: {source}; didact reads PNG, JPEG, BMP, TIFF and WebP")]
    Decode {
        /// Path of the file.
        path: PathBuf,
        /// Cause of the failure.
        #[source]
        source: Cause,
    },
    /// An image has more pixels than didact reads.
    #[error("{path} is {width}×{height} pixels, of which at most {most} are read; cut or scale it", most = super::decode::MOST_PIXELS)]
    TooLarge {
        /// Path of the image.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A mask has a file format that changes its values.
    #[error(
        "mask {path} is a JPEG or WebP file: such formats blur it, so that normal pixels are no longer 0; write it as PNG, \
         or set data.mask_threshold = 127"
    )]
    MaskFormat {
        /// Path of the mask.
        path: PathBuf,
    },
    /// A mask and its image differ in size.
    #[error("mask {mask} is {mask_size}, its image {image} is {image_size}: they must have the same size{hint}")]
    MaskSize {
        /// The mask.
        mask: String,
        /// Size of the mask.
        mask_size: String,
        /// The image.
        image: String,
        /// Size of the image.
        image_size: String,
        /// Possible reason.
        hint: &'static str,
    },
    /// The data set does not have the category.
    #[error("there is no category `{name}` in {root}; found: {found}{hint}")]
    UnknownCategory {
        /// Requested name.
        name: String,
        /// Root of the data set.
        root: String,
        /// Existing categories.
        found: String,
        /// A similar name.
        hint: String,
    },
    /// A part that must hold images holds too few.
    #[error("{what} of {category} has {count} image(s), needs at least {least}")]
    TooFew {
        /// Name of the part.
        what: String,
        /// Name of the category.
        category: String,
        /// Number of images found.
        count: usize,
        /// Number of images needed.
        least: usize,
    },
    /// A split would leave a part empty.
    #[error(
        "{held_out} of {images} training image(s) would be held out: at least 1 must be, and at least 1 be trained on"
    )]
    Split {
        /// Number of normal images to be split.
        images: usize,
        /// Number of images that would be held out.
        held_out: usize,
    },
    /// An image of `data.held_out` is not a training image.
    #[error("data.held_out lists {image}, which is no training image; expected paths below {root} such as {example}")]
    HeldOut {
        /// The image as listed.
        image: String,
        /// Root of the data set.
        root: String,
        /// A path that would be valid.
        example: String,
    },
    /// Two settings name the same folder.
    #[error(
        "data.folder names {one} and {other}, which are the same folder below {category}; name another folder, or patterns of \
         different files such as \"{one}/*.jpg\""
    )]
    SameFolder {
        /// The category's folder.
        category: PathBuf,
        /// The first name.
        one: String,
        /// The other name.
        other: String,
    },
    /// One file has two roles.
    #[error("{one} ({one_is}) and {other} ({other_is}) of {category} are the same file; no image may be both")]
    SameFile {
        /// The category.
        category: String,
        /// The first name.
        one: String,
        /// Role of the file under the first name.
        one_is: String,
        /// The other name.
        other: String,
        /// Role of the file under the other name.
        other_is: String,
    },
    /// One of two images in a folder may be the mask of the other.
    #[error(
        "{one} and {other} of {category} have one stem: is one the mask of the other? Say which files are images by a pattern \
         (layout = \"folder\", normals = \"train/*.jpg\") or by layout = \"table\", or rename one"
    )]
    Pair {
        /// The category.
        category: String,
        /// The first image.
        one: String,
        /// The other.
        other: String,
    },
    /// Two images share one mask.
    #[error("{one} and {other} of {category} share the mask {mask}; give each a mask of its own name or folder")]
    SharedMask {
        /// The mask.
        mask: PathBuf,
        /// The category.
        category: String,
        /// The first image.
        one: String,
        /// The other.
        other: String,
    },
    /// A folder that seems to hold normal images is among the kinds of defects.
    #[error(
        "{folder} would be a kind of defect, but sounds like normal images; move them to {expected}, or rename the folder"
    )]
    NormalKind {
        /// The folder.
        folder: PathBuf,
        /// Folder for normal test images.
        expected: String,
    },
    /// A mask has one colour, but its alpha channel has a shape.
    #[error(
        "mask {path} is of one colour and has its shape in the alpha channel; write it as a grey PNG, 0 where nothing is wrong"
    )]
    MaskAlpha {
        /// Path of the mask.
        path: PathBuf,
    },
    /// Defective test images have no mask, and the sweep file refuses this.
    #[error(
        "{count} defective test image(s) of {category} have no mask, such as {image}; data.unmasked = \"leave-out\" leaves them out of \
         the test, \"void\" leaves pixel metrics undefined"
    )]
    Unmasked {
        /// The category.
        category: String,
        /// The first image without a mask.
        image: String,
        /// Number of images without a mask.
        count: usize,
    },
    /// A share of test normals is set, but the category has normal test images already or none to draw from.
    #[error("data.test_normals_share cannot be taken of {category}: {reason}")]
    Share {
        /// The category.
        category: String,
        /// Why the share cannot be drawn.
        reason: String,
    },
    /// A file pattern is invalid.
    #[error("data.folder has the pattern \"{pattern}\": {}; expected one such as \"train/*.jpg\"", source.msg)]
    Pattern {
        /// The pattern as written.
        pattern: String,
        /// What is wrong.
        #[source]
        source: glob::PatternError,
    },
}
