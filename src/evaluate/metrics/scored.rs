//! What metrics are computed from: the scores of some images, each set sorted once for all metrics.

use super::{NotFinite, Sweep, Undefined};

/// Scored images with what is known of them.
pub struct Scored<'a> {
    /// The images, sorted by score.
    pub images: Sweep,
    /// What the held-out threshold makes of them; else why there is none.
    pub threshold: Result<Thresholded<'a>, Undefined>,
    /// Their pixels; else why these cannot be judged.
    pub pixels: Result<Pixels<'a>, Undefined>,
}

/// Image scores with the threshold that the held-out normals set.
#[derive(Debug, Clone, Copy)]
pub struct Thresholded<'a> {
    /// Scores of the test images.
    pub scores: &'a [f32],
    /// Which of them are defective.
    pub labels: &'a [bool],
    /// The score above which an image is called defective.
    pub threshold: f64,
    /// Scores of the held-out normals.
    pub held_out: &'a [f32],
    /// Whether the held-out images were trained on.
    pub held_out_trained: bool,
}

/// The pixels of some images.
pub struct Pixels<'a> {
    /// All of them, sorted by score.
    pub sweep: Sweep,
    /// The anomaly map of each image.
    pub maps: Vec<&'a [f32]>,
    /// The mask of each image; none of a normal one.
    pub masks: Vec<Option<&'a [bool]>>,
}

impl<'a> Pixels<'a> {
    /// Sorts the pixels of maps that are `width` wide.
    pub fn of(maps: Vec<&'a [f32]>, masks: Vec<Option<&'a [bool]>>, width: usize) -> Result<Self, NotFinite> {
        Ok(Self { sweep: Sweep::of_maps(&maps, &masks, width)?, maps, masks })
    }
}
