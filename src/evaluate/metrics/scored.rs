//! Inputs of metrics: the scores of some images, each set sorted once for all metrics.

use super::{NotFinite, Sweep, Undefined};
use crate::data::SaturatedDefect;

/// Scored images with their labels, threshold and pixels.
pub struct Scored<'a> {
    /// Images, sorted by score.
    pub images: Sweep,
    /// Scores with the held-out threshold, or the reason why there is no threshold.
    pub threshold: Result<Thresholded<'a>, Undefined>,
    /// Maps with the threshold of their pixels, or the reason why there is no such threshold.
    pub segmented: Result<Segmented<'a>, Undefined>,
    /// Pixels of the images, or the reason why they cannot be judged.
    pub pixels: Result<Pixels<'a>, Undefined>,
    /// Defects with their saturation areas, or the reason why these are not known.
    pub saturated: Result<SaturatedDefects<'a>, Undefined>,
}

/// Anomaly maps to be cut at the threshold that the pixels of the held-out normals set.
#[derive(Debug, Clone)]
pub struct Segmented<'a> {
    /// Anomaly map of each image.
    pub maps: Vec<&'a [f32]>,
    /// Whether each image is defective.
    pub labels: Vec<bool>,
    /// Value above which a pixel is called defective.
    pub threshold: f64,
}

/// The defects of some images with their saturation areas, for sPRO.
#[derive(Debug, Clone)]
pub struct SaturatedDefects<'a> {
    /// Anomaly map of each image.
    pub maps: Vec<&'a [f32]>,
    /// Defects of each image.
    pub defects: Vec<&'a [SaturatedDefect]>,
}

/// Image scores with the threshold that the held-out normals set.
#[derive(Debug, Clone, Copy)]
pub struct Thresholded<'a> {
    /// Scores of the test images.
    pub scores: &'a [f32],
    /// Whether each test image is defective.
    pub labels: &'a [bool],
    /// Score above which an image is called defective.
    pub threshold: f64,
    /// Scores of the held-out normals.
    pub held_out: &'a [f32],
    /// Whether the held-out images were also used for training.
    pub held_out_trained: bool,
}

/// The pixels of some images.
pub struct Pixels<'a> {
    /// All pixels, sorted by score.
    pub sweep: Sweep,
    /// Anomaly map of each image.
    pub maps: Vec<&'a [f32]>,
    /// Mask of each image; `None` for a normal image.
    pub masks: Vec<Option<&'a [bool]>>,
}

impl<'a> Pixels<'a> {
    /// Sorts the pixels of maps with the given width.
    pub fn of(maps: Vec<&'a [f32]>, masks: Vec<Option<&'a [bool]>>, width: usize) -> Result<Self, NotFinite> {
        Ok(Self { sweep: Sweep::of_maps(&maps, &masks, width)?, maps, masks })
    }
}
