//! How a metric is computed on test images that were drawn anew, from what is kept of each image.

/// From what a metric is computed when test images are drawn anew.
#[derive(Debug)]
pub enum Resampling {
    /// From the images' scores: the metric is the AUROC of these, so that DeLong's test applies, too.
    ImageRanks,
    /// From each image's histograms of pixels.
    Histograms(Histograms),
    /// Nothing: the reason.
    Unavailable(&'static str),
}

/// A metric of pixels on drawn images, from histograms over common bins.
#[derive(Debug)]
pub struct Histograms {
    /// What a defective pixel counts.
    pub weighing: Weighing,
    /// The metric of the drawn images together; none where a class has no pixel.
    pub value: fn(&Pooled<'_>) -> Option<f64>,
}

/// What a defective pixel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighing {
    /// One.
    Pixels,
    /// Its share of its defect component.
    Components,
}

/// The pixels of the drawn images by bin, from high scores to low.
#[derive(Debug, Clone, Copy)]
pub struct Pooled<'a> {
    /// Normal pixels.
    pub normal: &'a [u32],
    /// What the defective pixels count together.
    pub defective: &'a [f64],
    /// Defect components.
    pub components: f64,
}
