//! What each kind of stage is asked to do: the job that a worker reads from the store.
//!
//! A job holds what the stage needs to find its input (paths) beside what its output depends on
//! (digests, settings); only the latter is in the key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::Key;
use super::pseudo_job::{PaintJob, PseudoJob};
use crate::data::{DataSettings, HeldOut};
use crate::evaluate::{EvaluateSettings, Selection};
use crate::model::{AutoEncoder, TeacherSettings};
use crate::names::named_enum;
use crate::tensor::Numerics;
use crate::training::{JointSettings, PretrainSettings};

named_enum! {
    /// The kinds of stage, in the order in which a run passes them.
    pub enum StageKind {
        /// Teacher features of one part of a category.
        Features = "features",
        /// Auto-encoders on teacher features.
        Pretrain = "pretrain",
        /// Student, and auto-encoders where there are any.
        Joint = "joint",
        /// Per-level anomaly maps.
        Score = "score",
        /// Map rule and metrics.
        Evaluate = "evaluate",
    }
}

impl StageKind {
    /// Raised whenever the code changes what this kind of stage computes.
    pub fn recipe(self) -> u32 {
        match self {
            // 2: per-image overlap, the official code's PRO, kinds of defects, the held-out threshold.
            // 3: histograms of each image's pixels.
            // 4: masks of all defective images, no fused maps.
            Self::Evaluate => 4,
            // 2: convolution and batch norm as one operation, sums in other parts. 3: sums beside each other in losses.
            Self::Features | Self::Pretrain | Self::Joint => 3,
            // As above. 4: no thumbnails.
            Self::Score => 4,
        }
    }
}

/// Which images of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Normal images, both the training and the held-out part.
    Train,
    /// Test images.
    Test,
}

/// The images of one part of one category: where they are, and what they were when the sweep was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSet {
    /// How to open the data set (paths; not in keys). Shared: a plan of many runs names it for each stage.
    #[serde(with = "shared")]
    pub data: Arc<DataSettings>,
    /// The category's name (not in keys: the digest says what the images are).
    pub category: String,
    /// Which part.
    pub part: Part,
    /// BLAKE3 over the images' digests, in order.
    pub digest: String,
}

/// Written as what is shared.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(to)
    }

    pub(super) fn deserialize<'d, T: Deserialize<'d>, D: Deserializer<'d>>(from: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// The teacher: how to open it, and its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeacherRef {
    /// Where (not in keys).
    pub settings: TeacherSettings,
    /// BLAKE3 of the weight file.
    pub digest: String,
}

/// Teacher features of one part of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturesJob {
    /// The images.
    pub images: ImageSet,
    /// The teacher.
    pub teacher: TeacherRef,
    /// How exactly it is computed. Every other stage depends on features, and is computed likewise.
    #[serde(default, skip_serializing_if = "Numerics::is_f32")]
    pub numerics: Numerics,
}

/// Pretraining of one auto-encoder per level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainJob {
    /// Key of features(train).
    pub features: Key,
    /// Seed of the held-out split.
    pub split_seed: u64,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOut::is_fifth")]
    pub held_out: HeldOut,
    /// Shape of the auto-encoders. Beside the other fields as `"unet": {…}`, which is how older stores have it.
    #[serde(flatten)]
    pub model: AutoEncoder,
    /// Training settings.
    pub pretrain: PretrainSettings,
    /// The run's seed.
    pub seed: u64,
}

/// Joint training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointJob {
    /// Key of features(train).
    pub features: Key,
    /// The training images: the student sees them.
    pub images: ImageSet,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOut::is_fifth")]
    pub held_out: HeldOut,
    /// The teacher, whose shape the student takes.
    pub teacher: TeacherRef,
    /// Key of the pretraining, if any.
    pub pretrain: Option<Key>,
    /// Auto-encoders, or none.
    pub model: AutoEncoder,
    /// Training settings, with the selection rule.
    pub joint: JointSettings,
    /// Number of evenly spaced epochs whose weights are kept for the oracle.
    pub oracle_epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

/// Per-level maps of the test and the held-out images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreJob {
    /// Key of the joint stage.
    pub joint: Key,
    /// Key of features(train), for the held-out images.
    pub features_train: Key,
    /// Key of features(test).
    pub features_test: Key,
    /// Training images, for the held-out ones.
    pub train_images: ImageSet,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOut::is_fifth")]
    pub held_out: HeldOut,
    /// Test images.
    pub test_images: ImageSet,
    /// Whose weights.
    pub selection: Selection,
    /// The teacher, whose shape the student has.
    pub teacher: TeacherRef,
    /// Auto-encoders, or none.
    pub model: AutoEncoder,
}

/// Metrics of the final maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// Key of the score stage.
    pub score: Key,
    /// Test images, for their masks.
    pub test_images: ImageSet,
    /// BLAKE3 over labels and masks of the test images, in order.
    pub masks: String,
    /// Map rule.
    pub evaluate: EvaluateSettings,
    /// Whose weights: names the rows.
    pub selection: Selection,
    /// Whether the held-out images were trained on: then they tell nothing of new ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_out_trained: bool,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageJob {
    /// See [`FeaturesJob`].
    Features(FeaturesJob),
    /// See [`PretrainJob`].
    Pretrain(PretrainJob),
    /// See [`JointJob`].
    Joint(JointJob),
    /// See [`ScoreJob`].
    Score(ScoreJob),
    /// See [`EvaluateJob`].
    Evaluate(EvaluateJob),
    /// See [`PaintJob`].
    Paint(PaintJob),
    /// See [`PseudoJob`].
    Pseudo(PseudoJob),
}

impl StageJob {
    /// Its kind.
    pub fn kind(&self) -> StageKind {
        match self {
            Self::Features(_) | Self::Paint(_) => StageKind::Features,
            Self::Pretrain(_) => StageKind::Pretrain,
            Self::Joint(_) => StageKind::Joint,
            Self::Score(_) => StageKind::Score,
            Self::Evaluate(_) | Self::Pseudo(_) => StageKind::Evaluate,
        }
    }

    /// Keys of the stages whose artifacts it reads.
    pub fn dependencies(&self) -> Vec<Key> {
        match self {
            Self::Features(_) => vec![],
            Self::Pretrain(job) => vec![job.features.clone()],
            Self::Joint(job) => std::iter::once(&job.features).chain(&job.pretrain).cloned().collect(),
            Self::Score(job) => vec![job.joint.clone(), job.features_train.clone(), job.features_test.clone()],
            Self::Evaluate(job) => vec![job.score.clone()],
            Self::Paint(job) => vec![job.features.clone()],
            Self::Pseudo(job) => vec![job.joint.clone(), job.features_train.clone(), job.painted.clone()],
        }
    }

    /// The stage's key: the recipe of its kind, and its content.
    pub fn key(&self) -> Key {
        Key::of(self.kind().name(), self.kind().recipe(), &self.content())
    }

    /// What its output depends on, paths left out.
    pub fn content(&self) -> Value {
        match self {
            Self::Features(job) => {
                let mut content = json!({
                    "images": job.images.digest,
                    "size": job.images.data.image_size,
                    "filter": "pillow-bilinear",
                    "teacher": job.teacher.digest,
                    "levels": job.teacher.settings.levels,
                });
                if !job.images.data.reading.is_default() {
                    content["reading"] = json!(job.images.data.reading);
                }
                if !job.numerics.is_f32() {
                    content["numerics"] = json!(job.numerics);
                }
                content
            }
            Self::Pretrain(job) => {
                let (kind, settings) = match &job.model {
                    AutoEncoder::None => ("none", Value::Null),
                    AutoEncoder::Unet(settings) => ("unet", json!(settings)),
                    AutoEncoder::Linear(settings) => ("linear", json!(settings)),
                };
                // The order of the fields is part of the key.
                let content = json!({
                    "features": job.features,
                    "split_seed": job.held_out.drawn_by(job.split_seed),
                    (kind): settings,
                    "pretrain": job.pretrain,
                    "seed": job.seed,
                });
                with_held_out(content, &job.held_out)
            }
            Self::Joint(job) => {
                let content = json!({
                    "features": job.features,
                    "images": job.images.digest,
                    "split_seed": job.held_out.drawn_by(job.images.data.split_seed),
                    "pretrain": job.pretrain,
                    "model": job.model,
                    "joint": job.joint,
                    "oracle_epochs": job.oracle_epochs,
                    "seed": job.seed,
                });
                with_held_out(content, &job.held_out)
            }
            Self::Score(job) => {
                let mut content = json!({
                    "joint": job.joint,
                    "features": job.features_test,
                    "images": job.test_images.digest,
                    "selection": job.selection,
                });
                if job.selection == Selection::Oracle {
                    // Once only the evenly spaced epochs were scored.
                    content["epochs"] = json!("spaced and selected");
                }
                content
            }
            Self::Evaluate(job) => {
                let content = json!({
                    "score": job.score,
                    "masks": job.masks,
                    "rule": job.evaluate.rule(),
                });
                let mut content = with_left_out(content, &job.evaluate);
                if job.held_out_trained {
                    content["held_out_trained"] = json!(true);
                }
                content
            }
            Self::Paint(job) => job.content(),
            Self::Pseudo(job) => job.content(),
        }
    }
}

/// What a stage depends on, with how the held-out images are scored: once by the rule that they had a part in.
pub(super) fn with_left_out(mut content: Value, evaluate: &EvaluateSettings) -> Value {
    if evaluate.is_fitted() {
        content["held_out_scores"] = json!("leave-one-out");
    }
    content
}

/// What a stage depends on, with what is held out; the default is left out, so that older keys stay as they are.
pub(super) fn with_held_out(mut content: Value, held_out: &HeldOut) -> Value {
    if !held_out.is_fifth() {
        content["held_out"] = json!(held_out);
    }
    content
}
