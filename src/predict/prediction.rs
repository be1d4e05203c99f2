//! The content of `scores.json`.

use std::fmt;

use serde::Serialize;

/// Result of one call of `predict`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Key of the run.
    pub run: String,
    /// Category of the run.
    pub category: String,
    /// Variant of the run.
    pub variant: String,
    /// Seed of the run.
    pub seed: i64,
    /// Epoch of the weights.
    pub epoch: usize,
    /// Side of prepared images and maps, pixels.
    pub image_size: usize,
    /// Rule that fuses the levels' maps and computes the score.
    pub rule: serde_json::Value,
    /// Quantile of the held-out normals' scores that gives the threshold.
    pub threshold_quantile: f64,
    /// Score above which an image is anomalous; `None` if no image is held out.
    pub threshold: Option<f64>,
    /// Images in the order of the arguments.
    pub images: Vec<PredictedImage>,
    /// Arguments and images that could not be read.
    pub unreadable: Vec<UnusableImage>,
    /// Images that have a score but whose pictures could not be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unwritten: Vec<UnusableImage>,
}

/// Result of one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictedImage {
    /// Path as it was given or found.
    pub image: String,
    /// Width, pixels.
    pub width: usize,
    /// Height, pixels.
    pub height: usize,
    /// Score that the run's rule computes from the map.
    pub score: f64,
    /// Whether the score is above the threshold; `None` without a threshold.
    pub verdict: Option<ImageVerdict>,
    /// Fused map; `None` if it could not be written.
    pub map: Option<MapFile>,
    /// Path of the overlay below the output folder: a PNG of the image's size. `None` if it could not be written.
    pub overlay: Option<String>,
    /// Value of the map that the overlay draws brightest.
    pub brightest: f32,
}

/// A fused map as a 16-bit grey PNG: value = minimum + grey / 65535 · (maximum − minimum).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapFile {
    /// Path of the PNG below the output folder.
    pub file: String,
    /// Value of black.
    pub minimum: f32,
    /// Value of white.
    pub maximum: f32,
}

/// Verdict on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageVerdict {
    /// The score is not above the threshold.
    Normal,
    /// The score is above the threshold.
    Anomalous,
}

impl ImageVerdict {
    /// Compares a score with the threshold. A score equal to it is normal, as in the run's own precision and recall.
    pub fn of(score: f64, threshold: f64) -> Self {
        if score > threshold { Self::Anomalous } else { Self::Normal }
    }

    /// Returns the verdict in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
        }
    }
}

/// An image or argument that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnusableImage {
    /// Path as it was given or found.
    pub image: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl fmt::Display for UnusableImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Errors of the decoder already name the image.
        match self.reason.starts_with(&self.image) {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.image, self.reason),
        }
    }
}
