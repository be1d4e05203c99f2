//! The stage `pretrain`: each auto-encoder learns to reconstruct the teacher's features.

use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, of_autoencoder};
use super::features::FeaturesJob;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use super::training_part::{TrainingPart, folders};
use crate::data::SplitRule;
use crate::model::AutoEncoder;
use crate::tensor::Backend;
use crate::training::{PretrainInput, PretrainSettings, StageContext, StageError, pretrain};

/// Pretrains one auto-encoder per level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainJob {
    /// Features of the training part.
    pub features: KeyOf<FeaturesJob>,
    /// Which images are held out.
    pub split: SplitRule,
    /// Further categories that the auto-encoders learn from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<TrainingPart>,
    /// Shape of the auto-encoders.
    pub model: AutoEncoder,
    /// Training settings.
    pub pretrain: PretrainSettings,
    /// The run's seed.
    pub seed: u64,
}

impl Stage for PretrainJob {
    const NAME: &'static str = "pretrain";
    const REVISION: u32 = 2;

    const CHECKPOINTS: bool = true;

    fn needs(&self) -> Vec<Need> {
        let features = std::iter::once(&self.features).chain(self.others.iter().map(|part| &part.features));
        features.map(KeyOf::need).collect()
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, &of_autoencoder(&self.model), extent.train * self.pretrain.epochs, extent)
    }

    fn epochs(&self) -> Option<usize> {
        Some(self.pretrain.epochs)
    }

    /// Writes [`PRETRAINED`](crate::training::PRETRAINED).
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let input = PretrainInput {
            images: &folders((&self.features, &self.split), &self.others, artifacts),
            model: &self.model,
            settings: &self.pretrain,
            seed: self.seed,
        };
        pretrain::<B>(&input, context)
    }
}
