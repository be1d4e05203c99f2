//! Output of the stage `evaluate`: numbers, with reasons if they are undefined.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Measured, ResultName};
use crate::cause::Context;

/// Score of one test image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageScore {
    /// Path below the category.
    pub image: String,
    /// Kind of defect; `None` for a normal image.
    pub defect: Option<String>,
    /// Score that the map rule computes from the final map.
    pub score: f32,
}

/// Result of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Epoch of the weights; for the oracle, the best epoch by pixel AUROC.
    pub epoch: usize,
    /// Numbers by name.
    pub results: BTreeMap<ResultName, Measured>,
    /// Scores of the test images, in the order of the images.
    pub image_scores: Vec<ImageScore>,
    /// Score above which an image is called defective: a quantile of the held-out normals' scores.
    pub held_out_threshold: Option<f64>,
    /// Value above which a pixel is called defective: mean + 3 standard deviations of the held-out normals' pixels.
    #[serde(default)]
    pub pixel_threshold: Option<f64>,
}

impl Evaluation {
    /// File name in the artifact.
    pub const FILE: &str = "results.json";

    /// Reads the result in an evaluate artifact.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(Self::FILE);
        serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| std::io::Error::other(Context::reading(&path)(error)))
    }
}
