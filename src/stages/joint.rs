//! The stage `joint`: the student, and the auto-encoders behind it, learn to predict the teacher's features.

use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, network, shape};
use super::features::FeaturesJob;
use super::inputs::TeacherRef;
use super::pretrain::PretrainJob;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use super::training_part::{TrainingPart, folders};
use crate::data::SplitRule;
use crate::model::Model;
use crate::tensor::Backend;
use crate::training::{JointInput, JointSettings, StageContext, StageError, is_snapshot, joint};

/// Trains the student, and its auto-encoders if there are any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointJob {
    /// Features of the training part. Their artifact also contains the prepared images.
    pub features: KeyOf<FeaturesJob>,
    /// BLAKE3 over the digests of the training images, because the student sees the images.
    pub images: String,
    /// Which images are held out.
    pub split: SplitRule,
    /// Further categories that the model learns from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<TrainingPart>,
    /// The teacher. The student has the same architecture, or mirrors it.
    pub teacher: TeacherRef,
    /// Pretrained auto-encoders, if any.
    pub pretrain: Option<KeyOf<PretrainJob>>,
    /// Student, and its auto-encoders if there are any.
    pub model: Model,
    /// Training settings, including the selection rule.
    pub joint: JointSettings,
    /// Number of evenly spaced epochs whose weights are kept for the oracle.
    pub oracle_epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

impl Stage for JointJob {
    const NAME: &'static str = "joint";
    const REVISION: u32 = 2;

    const CHECKPOINTS: bool = true;
    /// Weights of single epochs. Only the oracle scores them.
    const SPARE: Option<fn(&str) -> bool> = Some(is_snapshot);

    fn needs(&self) -> Vec<Need> {
        let features = std::iter::once(&self.features).chain(self.others.iter().map(|part| &part.features));
        features.map(KeyOf::need).chain(self.pretrain.iter().map(KeyOf::need)).collect()
    }

    fn effort(&self, extent: &Extent) -> Effort {
        let shape = shape(&self.model) + &network(self.teacher.architecture);
        Effort::new(Self::NAME, &shape, extent.train * self.joint.epochs, extent)
    }

    fn epochs(&self) -> Option<usize> {
        Some(self.joint.epochs)
    }

    /// Writes the weights of the selected epoch, of the last epoch and of the oracle's epochs, and a
    /// [`JointSummary`](crate::training::JointSummary).
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let pretrain = self.pretrain.as_ref().map(|pretrain| pretrain.folder(artifacts));
        let input = JointInput {
            images: &folders((&self.features, &self.split), &self.others, artifacts),
            pretrain: pretrain.as_deref(),
            architecture: self.teacher.architecture,
            model: &self.model,
            settings: &self.joint,
            oracle_epochs: self.oracle_epochs,
            seed: self.seed,
        };
        joint::<B>(&input, context)
    }
}
