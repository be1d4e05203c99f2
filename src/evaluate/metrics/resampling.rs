//! How a metric is computed on resampled test images from stored data of each image.

/// Stored data from which a metric is computed when test images are resampled.
#[derive(Debug)]
pub enum Resampling {
    /// Image scores. The metric is their AUROC, so DeLong's test also applies.
    ImageRanks,
    /// Pixel histograms of each image.
    Histograms(Histograms),
    /// No data, with the reason.
    Unavailable(&'static str),
}

/// A pixel metric on resampled images, computed from histograms over common bins.
#[derive(Debug)]
pub struct Histograms {
    /// Weight of a defective pixel.
    pub weighing: Weighing,
    /// Computes the metric of the resampled images together; returns `None` if a class has no pixel.
    pub value: fn(&Pooled<'_>) -> Option<f64>,
}

/// Weight of a defective pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighing {
    /// Each pixel counts as one.
    Pixels,
    /// Each pixel counts as its share of its defect component.
    Components,
}

/// Pixels of the resampled images per bin, from high scores to low.
#[derive(Debug, Clone, Copy)]
pub struct Pooled<'a> {
    /// Normal pixels per bin.
    pub normal: &'a [u32],
    /// Total weight of the defective pixels per bin.
    pub defective: &'a [f64],
    /// Number of defect components.
    pub components: f64,
}
