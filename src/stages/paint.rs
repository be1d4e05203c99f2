//! The stage `paint`: paints defects on the held-out normal images and computes the teacher's features of the painted images.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, network};
use super::features::FeaturesJob;
use super::inputs::TeacherRef;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use crate::data::{FeatureSet, FeatureWriter, Image, Painted, Painter, SplitRule, paint, write_masks};
use crate::tensor::Backend;
use crate::training::{BATCH, Progress, StageContext, StageError, forward};

/// File with the masks of the painted images, in their order. It is stored with the files of the feature set.
pub(super) const MASKS: &str = "masks.bits";

/// Paints defects on held-out normal images, and computes the teacher's features of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaintJob {
    /// Features of the training part. Their artifact also contains the prepared images.
    pub features: KeyOf<FeaturesJob>,
    /// Which images are held out.
    pub split: SplitRule,
    /// Seed of the painting.
    pub seed: u64,
    /// The teacher.
    pub teacher: TeacherRef,
}

impl Stage for PaintJob {
    const NAME: &'static str = "paint";
    const REVISION: u32 = 1;

    fn needs(&self) -> Vec<Need> {
        vec![self.features.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, &network(self.teacher.architecture), 2 * extent.held_out, extent)
    }

    /// Writes `masks.bits` and a feature set of the painted images: all copies of the first held-out image, then of the next.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let train = FeatureSet::open(&self.features.folder(artifacts)).map_err(StageError::artifact)?;
        let (mut teacher, _) = self.teacher.open::<B>()?;
        let split = self.split.split(train.len()).map_err(StageError::data)?;
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
                batch.par_iter().map(|&(index, painter)| paint(&normals, index, painter, self.seed)).collect();
            let mut named = Vec::with_capacity(batch.len());
            for (&(index, painter), Painted { image, mask }) in batch.iter().zip(images) {
                named.push((format!("{}#{}", header.images[split.held_out[index]], painter.name()), image));
                masks.push(mask);
            }
            let levels = forward(&mut teacher, &named, header.side)?;
            let values: Vec<Vec<f32>> = levels.into_iter().map(|(_, values)| values).collect();
            writer.append(&named, &values).map_err(StageError::artifact)?;
            context.observer.progress(Progress { done: masks.len(), total: wanted.len(), unit: "image", loss: None });
        }
        writer.finish().map_err(StageError::artifact)?;
        let path = context.out.join(MASKS);
        write_masks(&path, &masks).map_err(StageError::writing(&path))
    }
}
