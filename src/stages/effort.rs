//! Estimates the work of a stage. The remaining time is computed from finished stages.

use crate::model::{Architecture, AutoEncoder, Model};

/// Number and size of a category's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Number of images in the training part, including held-out images.
    pub train: usize,
    /// Number of held-out images.
    pub held_out: usize,
    /// Number of test images.
    pub test: usize,
    /// Side of the prepared images, in pixels.
    pub image_size: usize,
}

impl Extent {
    /// Returns the images of both. They are of one size.
    pub fn and(self, other: Self) -> Self {
        Self {
            train: self.train + other.train,
            held_out: self.held_out + other.held_out,
            test: self.test + other.test,
            image_size: self.image_size,
        }
    }
}

/// Work of a stage, and its class of stages with the same cost per unit of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// Kind of stage and shape of the networks. Stages of one class take the same time for the same work.
    pub cost_class: String,
    /// Number of image passes through the networks, in units of one image of 256 × 256 pixels.
    pub work: f64,
}

impl Effort {
    /// Returns the effort of this many image passes through networks of this shape.
    pub(super) fn new(stage: &str, shape: &str, passes: usize, extent: &Extent) -> Self {
        let work = passes as f64 * (extent.image_size as f64 / 256.0).powi(2);
        Self { cost_class: format!("{stage}{shape}"), work }
    }
}

/// Returns the shape as text, such as ` none`, ` unet concat 2 1` or ` decoder`.
pub(super) fn shape(model: &Model) -> String {
    match model {
        Model::Encoder(autoencoder) => of_autoencoder(autoencoder),
        Model::Decoder => " decoder".to_owned(),
    }
}

/// Returns the shape of auto-encoders as text.
pub(super) fn of_autoencoder(autoencoder: &AutoEncoder) -> String {
    autoencoder.settings().map_or_else(|| " none".to_owned(), |settings| format!(" {}", settings.cost_class()))
}

/// Returns the architecture as text, such as ` resnet34`. Returns an empty text for ResNet-18.
pub(super) fn network(architecture: Architecture) -> String {
    match architecture {
        Architecture::Resnet18 => String::new(),
        other => format!(" {}", other.name()),
    }
}
