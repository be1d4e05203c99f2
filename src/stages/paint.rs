//! The stage that paints defects on the held-out normals and lets the frozen teacher see them.

use std::path::Path;

use rayon::prelude::*;

use crate::data::{FeatureSet, FeatureWriter, Image, Painted, Painter, SplitRule, paint as painted, write_masks};
use crate::model::Resnet;
use crate::tensor::Backend;
use crate::training::{BATCH, Progress, StageContext, StageError, forward};

/// The masks of the painted images, in their order, beside the files of a features artifact.
pub(super) const MASKS: &str = "masks.bits";

/// What the stage works on.
pub struct PaintInput<'a, B: Backend> {
    /// Folder of features(train), for the prepared images.
    pub features: &'a Path,
    /// The held-out part, and the seed of the painting.
    pub split: &'a SplitRule,
    /// The frozen teacher.
    pub teacher: Resnet<B>,
}

/// Writes a features artifact of the painted images (all copies of the first held-out image, then of the next) and their
/// masks.
pub fn paint<B: Backend>(mut input: PaintInput<'_, B>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let train = FeatureSet::open(input.features).map_err(StageError::artifact)?;
    let split = input.split.split(train.len()).map_err(StageError::data)?;
    let normals: Vec<Image> = split.held_out.iter().map(|&index| train.image(index)).collect();
    let wanted: Vec<(usize, Painter)> =
        (0..normals.len()).flat_map(|index| Painter::ALL.map(|painter| (index, painter))).collect();
    let header = train.header();
    let mut writer =
        FeatureWriter::create(context.out, header.side, header.levels.clone()).map_err(StageError::artifact)?;
    let mut masks = Vec::with_capacity(wanted.len());
    for batch in wanted.chunks(BATCH) {
        if context.observer.stop_requested() {
            return Err(StageError::Interrupted);
        }
        let images: Vec<Painted> =
            batch.par_iter().map(|&(index, painter)| painted(&normals, index, painter, input.split.seed)).collect();
        let mut named = Vec::with_capacity(batch.len());
        for (&(index, painter), Painted { image, mask }) in batch.iter().zip(images) {
            named.push((format!("{}#{}", header.images[split.held_out[index]], painter.name()), image));
            masks.push(mask);
        }
        let levels = forward(&mut input.teacher, &named, header.side)?;
        let values: Vec<Vec<f32>> = levels.into_iter().map(|(_, values)| values).collect();
        writer.append(&named, &values).map_err(StageError::artifact)?;
        context.observer.progress(Progress { done: masks.len(), total: wanted.len(), unit: "image", loss: None });
    }
    writer.finish().map_err(StageError::artifact)?;
    let path = context.out.join(MASKS);
    write_masks(&path, &masks).map_err(StageError::writing(&path))
}
