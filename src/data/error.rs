//! Errors in images, masks and folders.

use std::path::PathBuf;

use crate::cause::Cause;
use crate::text::{agreeing, counted};

/// An error in the data. Every message names the error, its place and a correction.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A required folder does not exist.
    #[error("{what} {path} does not exist; {help}")]
    Missing {
        /// Purpose of the folder.
        what: &'static str,
        /// Path of the folder.
        path: PathBuf,
        /// How to correct the error.
        help: String,
    },
    /// The root has no category.
    #[error("there is no category in {root}; {help}")]
    NoCategory {
        /// The root.
        root: PathBuf,
        /// How to correct the error.
        help: String,
    },
    /// The arrangement on disk differs from the layout in the sweep file.
    #[error("{path} does not match data.layout = \"{wanted}\" ({expected}); it looks like {found}")]
    OtherLayout {
        /// Path of the root or of a category.
        path: PathBuf,
        /// The layout of the sweep file.
        wanted: &'static str,
        /// Folders that this layout expects.
        expected: &'static str,
        /// Layout that the folder looks like.
        found: String,
    },
    /// One root holds categories of several layouts.
    #[error(
        "{root} holds categories of several layouts: {found}; set data.layout to one of them, or list categories of one layout in \
         data.categories"
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
        /// Cause of the error.
        #[source]
        source: Cause,
        /// How to correct the error.
        help: String,
    },
    /// A file of saturation areas has an invalid value.
    #[error("{path}: {what}")]
    Saturation {
        /// Path of the file.
        path: PathBuf,
        /// The line or field, its value, and what would be right.
        what: String,
    },
    /// A mask has a value for which there is no saturation area.
    #[error(
        "mask {mask} has the value {value}, which {path} does not list (it lists {listed}); add a defect with this `pixel_value`, or \
         correct the mask"
    )]
    SaturationValue {
        /// Path of the file.
        path: PathBuf,
        /// Path of the mask.
        mask: PathBuf,
        /// Value in the mask.
        value: u8,
        /// Values in the file.
        listed: String,
    },
    /// A metric needs saturation areas that a category does not have.
    #[error(
        "`{metric}` needs the saturation areas of MVTec LOCO's defects, but {path} does not exist; copy the file of the data set there, or \
         remove `{metric}` from the sweep file"
    )]
    NoSaturation {
        /// Name of the metric.
        metric: &'static str,
        /// Expected path of the file.
        path: PathBuf,
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
    #[error(
        "{path} has {width}×{height} pixels, more than the maximum of {}; crop or downscale it",
        super::decode::MAX_PIXELS
    )]
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
        "mask {path} is a JPEG or WebP file: these formats change values, so normal pixels may not be 0; save it as PNG, \
         or set data.mask_threshold = 127"
    )]
    MaskFormat {
        /// Path of the mask.
        path: PathBuf,
    },
    /// A mask and its image differ in size.
    #[error("mask {mask} is {mask_size}, but its image {image} is {image_size}; they must have the same size{hint}")]
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
    #[error("{what} of {category} has {}, needs at least {least}", counted(count, "image"))]
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
        "{held_out} of {} would be held out: at least 1 must be held out, and at least 1 must be left for training",
        counted(images, "training image")
    )]
    Split {
        /// Number of normal images to be split.
        images: usize,
        /// Number of images that would be held out.
        held_out: usize,
    },
    /// An image of `data.held_out` is not a training image.
    #[error(
        "data.held_out lists {image}, which is not a training image; expected paths below {root} such as {example}"
    )]
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
    #[error("{one} ({one_is}) and {other} ({other_is}) of {category} are the same file; an image cannot be both")]
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
        "{one} and {other} of {category} have the same stem, so one may be the mask of the other; name the images by a pattern \
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
    #[error("{one} and {other} of {category} share the mask {mask}; give each mask its own name or folder")]
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
        "{folder} would be a kind of defect, but its name suggests normal images; move them to {expected}, or rename the folder"
    )]
    NormalKind {
        /// The folder.
        folder: PathBuf,
        /// Folder for normal test images.
        expected: String,
    },
    /// A mask has one colour, but its alpha channel has a shape.
    #[error(
        "mask {path} has one colour, and its shape is in the alpha channel; save it as a grey PNG, with 0 for normal pixels"
    )]
    MaskAlpha {
        /// Path of the mask.
        path: PathBuf,
    },
    /// Defective test images have no mask, and the sweep file refuses this.
    #[error(
        "{} of {category} {} no mask, such as {image}; set data.unmasked = \"leave-out\" to leave out such images, or \"void\" to leave \
         pixel metrics undefined",
        counted(count, "defective test image"),
        agreeing(*count, "has", "have")
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
    #[error("cannot draw data.test_normals_share from {category}: {reason}")]
    Share {
        /// The category.
        category: String,
        /// Why the share cannot be drawn.
        reason: String,
    },
    /// A file pattern is invalid.
    #[error("data.folder has the invalid pattern \"{pattern}\": {}; expected a pattern such as \"train/*.jpg\"", source.msg)]
    Pattern {
        /// The pattern as written.
        pattern: String,
        /// Cause of the error.
        #[source]
        source: glob::PatternError,
    },
}
