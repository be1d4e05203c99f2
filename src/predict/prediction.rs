//! What `scores.json` says.

use std::fmt;

use serde::Serialize;

/// All images of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The run's key.
    pub run: String,
    /// Its category.
    pub category: String,
    /// Its variant.
    pub variant: String,
    /// Its seed.
    pub seed: i64,
    /// The epoch of its weights.
    pub epoch: usize,
    /// Side to which images are prepared, and of the maps, pixels.
    pub image_size: usize,
    /// How the levels' maps become one, and that a score.
    pub rule: serde_json::Value,
    /// The quantile of the held-out normals' scores that the threshold is.
    pub threshold_quantile: f64,
    /// The score above which an image is called anomalous; none where nothing is held out.
    pub threshold: Option<f64>,
    /// The images, in the order of the arguments.
    pub images: Vec<Predicted>,
    /// What could not be read.
    pub unreadable: Vec<BadImage>,
    /// Images with a score whose pictures could not be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unwritten: Vec<BadImage>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// Its path, as it was asked for or found.
    pub image: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What the run's rule makes of the map.
    pub score: f64,
    /// Whether the score is above the threshold; none without one.
    pub verdict: Option<Verdict>,
    /// The fused map; none where it could not be written.
    pub map: Option<MapFile>,
    /// The map over the image, a PNG as large as the image; below the output folder. None where it could not be written.
    pub overlay: Option<String>,
    /// The value of the map that the overlay draws brightest.
    pub brightest: f32,
}

/// A fused map in a grey PNG of 16 bits: value = minimum + grey / 65535 · (maximum − minimum).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapFile {
    /// The PNG, below the output folder.
    pub file: String,
    /// The value of black.
    pub minimum: f32,
    /// The value of white.
    pub maximum: f32,
}

/// What an image is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Not above the threshold.
    Normal,
    /// Above it.
    Anomalous,
}

impl Verdict {
    /// Of a score: the threshold itself is normal, as for the run's own precision and recall.
    pub fn of(score: f64, threshold: f64) -> Self {
        if score > threshold { Self::Anomalous } else { Self::Normal }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
        }
    }
}

/// An image, or something else that was asked for, with what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadImage {
    /// As it was asked for or found.
    pub image: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for BadImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What could not be decoded is named by the reason already.
        match self.reason.starts_with(&self.image) {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.image, self.reason),
        }
    }
}
