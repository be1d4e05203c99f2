//! What a sweep file says of the teacher.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::autoencoder_settings::is_default;
use super::{Architecture, LevelSet};

/// Where the teacher's weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSource {
    /// The small teacher that didact carries.
    Demo,
    /// A `.safetensors` or `.pth` file with torchvision's tensor names.
    File(PathBuf),
}

/// The frozen teacher; the student is of the same shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeacherSettings {
    /// What its weights must be of; none where whatever they are will do, until they are opened.
    pub architecture: Option<Architecture>,
    /// Its weights.
    pub weights: WeightSource,
    /// The feature levels that are compared; all of them are no part of a key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub levels: LevelSet,
}
