//! The report of `didact weights check`.

use serde::Serialize;

use super::{WeightError, WeightFile};
use crate::model::{Architecture, LevelSet, WeightSource, load_teacher};
use crate::tensor::Native;

/// Facts of a weight file that fits a teacher.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightReport {
    /// Path of the file, or "demo".
    pub source: String,
    /// BLAKE3 of the file.
    pub digest: String,
    /// Recognised network.
    pub architecture: Architecture,
    /// Base width: channels of the stem (64 in the papers).
    pub width: usize,
    /// Number of tensors in the same dictionary of the file.
    pub tensors: usize,
    /// Keys and prefix that lead to torchvision's names; empty without any.
    pub under: String,
    /// Whether every batch norm is an identity (folded into the convolutions before it).
    pub batch_norm_folded: bool,
}

/// Opens the file and builds the teacher. This checks that every tensor exists, has its shape and is finite.
pub fn inspect(source: &WeightSource) -> Result<WeightReport, WeightError> {
    let file = WeightFile::open(source)?;
    let (_, backbone) = load_teacher::<Native>(&file, LevelSet::ALL)?;
    let folded = |name: &str| match file.tensors.get(name) {
        Some(tensor) if name.ends_with("running_mean") => tensor.data.iter().all(|v| *v == 0.0),
        Some(tensor) => tensor.data.iter().all(|v| (v - 1.0).abs() < 1e-4),
        None => false,
    };
    let batch_norm_folded = file.tensors.keys().filter(|n| n.contains("running_")).all(|name| folded(name));
    Ok(WeightReport {
        source: file.source.clone(),
        digest: file.digest.clone(),
        architecture: backbone.architecture,
        width: backbone.width,
        tensors: file.dictionary_size,
        under: file.location.clone(),
        batch_norm_folded,
    })
}
