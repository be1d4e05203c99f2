//! The normal images of several categories, opened as one training set.

use std::path::PathBuf;

use super::context::StageError;
use crate::data::{FeatureSet, Split, SplitRule};

/// Where the training part of one category is, and which of its images are held out.
#[derive(Debug, Clone)]
pub struct TrainingFolder<'a> {
    /// Folder of features(train) with teacher features and prepared images.
    pub features: PathBuf,
    /// Rule that selects the held-out part.
    pub split: &'a SplitRule,
}

/// Opens the images of all folders as one set. Each category is split by its own rule; the parts of all categories are joined.
pub(super) fn open(folders: &[TrainingFolder<'_>]) -> Result<(FeatureSet, Split), StageError> {
    let paths: Vec<&PathBuf> = folders.iter().map(|folder| &folder.features).collect();
    let (first, others) = paths.split_first().ok_or_else(|| StageError::Bug("training without images".into()))?;
    let set = FeatureSet::open_all(first, others).map_err(StageError::artifact)?;
    let mut all = Split { train: Vec::new(), held_out: Vec::new() };
    for (folder, images) in folders.iter().zip(set.parts()) {
        let Split { train, held_out } = folder.split.split(images.len()).map_err(StageError::data)?;
        all.train.extend(train.into_iter().map(|index| images.start + index));
        all.held_out.extend(held_out.into_iter().map(|index| images.start + index));
    }
    Ok((set, all))
}
