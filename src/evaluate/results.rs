//! What the stage `evaluate` leaves: numbers with reasons where they are undefined.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Measured, ResultName};
use crate::cause::Context;

/// One test image's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageScore {
    /// Path below the category.
    pub image: String,
    /// Kind of defect; none for a normal image.
    pub defect: Option<String>,
    /// What the map rule makes of the final map.
    pub score: f32,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The epoch of the weights; for the oracle the best by pixel AUROC.
    pub epoch: usize,
    /// Numbers by name.
    pub results: BTreeMap<ResultName, Measured>,
    /// Scores of the test images, in their order.
    pub image_scores: Vec<ImageScore>,
    /// Score above which an image is called defective: a quantile of the held-out normals'.
    pub held_out_threshold: Option<f64>,
}

impl Evaluation {
    /// Its file in the artifact.
    pub const FILE: &str = "results.json";

    /// Reads what an evaluate artifact says.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(Self::FILE);
        serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| std::io::Error::other(Context::reading(&path)(error)))
    }
}
