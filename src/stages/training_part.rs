//! The normal images of one category that a model learns from.

use serde::{Deserialize, Serialize};

use super::features::FeaturesJob;
use super::stage::{ArtifactFolders, KeyOf};
use crate::data::SplitRule;
use crate::training::TrainingFolder;

/// The training part of one category, and which of its images are held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingPart {
    /// Features of the training part. Their artifact also contains the prepared images.
    pub features: KeyOf<FeaturesJob>,
    /// Which images are held out.
    pub split: SplitRule,
}

/// Returns where training finds the parts of a model: the first category, then the others.
pub(super) fn folders<'a>(
    (features, split): (&'a KeyOf<FeaturesJob>, &'a SplitRule),
    others: &'a [TrainingPart],
    artifacts: &dyn ArtifactFolders,
) -> Vec<TrainingFolder<'a>> {
    let parts = std::iter::once((features, split)).chain(others.iter().map(|part| (&part.features, &part.split)));
    parts.map(|(features, split)| TrainingFolder { features: features.folder(artifacts), split }).collect()
}
