//! The two stages of the objective `pseudo_pixel_auroc`: painting defects on the held-out normals, and measuring a student on them.
//! They are of the kinds `features` and `evaluate`, for they leave what these leave; nothing of the test set is in them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::job::{TeacherRef, with_held_out, with_left_out};
use super::key::Key;
use crate::data::HeldOut;
use crate::evaluate::EvaluateSettings;
use crate::model::AutoEncoder;

/// Raised whenever the painters paint otherwise.
const PAINT: u32 = 1;
/// Raised whenever the measuring changes.
const PSEUDO: u32 = 1;

/// Held-out normals with painted defects, and the teacher's features of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaintJob {
    /// Key of features(train), whose artifact has the prepared images.
    pub features: Key,
    /// Seed of the held-out split, and of the painting.
    pub split_seed: u64,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOut::is_fifth")]
    pub held_out: HeldOut,
    /// The teacher.
    pub teacher: TeacherRef,
}

impl PaintJob {
    /// What the output depends on; size, filter and teacher are in the features' key.
    pub(super) fn content(&self) -> Value {
        let content = json!({ "paint": PAINT, "features": self.features, "split_seed": self.split_seed });
        with_held_out(content, &self.held_out)
    }
}

/// Pixel AUROC of the selected weights on the painted and the unpainted held-out images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PseudoJob {
    /// Key of the joint stage.
    pub joint: Key,
    /// Key of features(train), for the unpainted images.
    pub features_train: Key,
    /// Key of the painting.
    pub painted: Key,
    /// Seed of the held-out split.
    pub split_seed: u64,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOut::is_fifth")]
    pub held_out: HeldOut,
    /// Auto-encoders, or none.
    pub model: AutoEncoder,
    /// Map rule.
    pub evaluate: EvaluateSettings,
}

impl PseudoJob {
    /// What the output depends on; the unpainted images and the split are in the painting's key, the model in the joint stage's.
    pub(super) fn content(&self) -> Value {
        let content =
            json!({ "pseudo": PSEUDO, "joint": self.joint, "painted": self.painted, "rule": self.evaluate.rule() });
        with_left_out(content, &self.evaluate)
    }
}
