//! What the stage `evaluate` leaves: numbers with reasons where they are undefined.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cause::Context;

/// A number, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: Option<f64>,
    /// Why it is undefined, or a remark (the epoch, for the oracle).
    pub reason: Option<String>,
}

impl Measured {
    /// A defined value.
    pub fn value(value: f64) -> Self {
        Self { value: Some(value), reason: None }
    }

    /// From a metric that may be undefined.
    pub fn of<E: std::fmt::Display>(result: Result<f64, E>) -> Self {
        match result {
            Ok(value) => Self::value(value),
            Err(reason) => Self { value: None, reason: Some(reason.to_string()) },
        }
    }
}

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
    pub results: BTreeMap<String, Measured>,
    /// Scores of the test images, in their order.
    pub image_scores: Vec<ImageScore>,
    /// Score above which an image is called defective: a quantile of the held-out normals'.
    pub held_out_threshold: Option<f64>,
}

impl Evaluation {
    /// Its file in the artifact.
    pub const FILE: &str = "results.json";

    /// The name of the epoch among the numbers of a run.
    pub const EPOCH: &str = "epoch";

    /// Reads what an evaluate artifact says.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(Self::FILE);
        serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| std::io::Error::other(Context::reading(&path)(error)))
    }
}
