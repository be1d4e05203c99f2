//! The stage `features`: the frozen teacher processes every image of one part of a category once.

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, network};
use super::inputs::{Check, ImageSet, Part, TeacherRef};
use super::stage::{ArtifactFolders, Need, Stage};
use crate::data::{FeatureWriter, Image};
use crate::tensor::{Backend, Numerics};
use crate::training::{BATCH, Progress, StageContext, StageError, forward};

/// Computes the teacher's features of one part of a category, and prepares the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturesJob {
    /// The images.
    pub images: ImageSet,
    /// The teacher.
    pub teacher: TeacherRef,
    /// Numerical precision. All other stages depend on features and use the same precision.
    pub numerics: Numerics,
}

impl Stage for FeaturesJob {
    const NAME: &'static str = "features";
    const REVISION: u32 = 1;

    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    fn effort(&self, extent: &Extent) -> Effort {
        let passes = match self.images.location.part {
            Part::Train => extent.train,
            Part::Test => extent.test,
        };
        Effort::new(Self::NAME, &network(self.teacher.architecture), passes, extent)
    }

    /// Writes a [`FeatureSet`](crate::data::FeatureSet).
    fn run<B: Backend>(&self, _: &dyn ArtifactFolders, context: &mut StageContext<'_>) -> Result<(), StageError> {
        let all = self.images.open(Check::Images)?;
        let (mut teacher, _) = self.teacher.open::<B>()?;
        let ImageSet { image_size, reading, .. } = self.images;
        let started = Instant::now();
        let mut writer: Option<FeatureWriter> = None;
        let mut done = 0;
        for samples in all.chunks(BATCH) {
            if context.observer.stop_requested() {
                return Err(StageError::Interrupted);
            }
            let batch = || {
                let images: Vec<(String, Image)> = samples
                    .par_iter()
                    .map(|sample| Ok((sample.image.clone(), sample.load(image_size, reading)?)))
                    .collect::<Result<_, crate::data::DataError>>()
                    .map_err(StageError::data)?;
                let levels = forward(&mut teacher, &images, image_size)?;
                Ok::<_, StageError>((images, levels))
            };
            let (images, levels) = context.threads.run_on::<B, _>(batch).0?;
            if writer.is_none() {
                let shapes = levels.iter().map(|(shape, _)| *shape).collect();
                writer = Some(FeatureWriter::create(context.out, image_size, shapes).map_err(StageError::artifact)?);
            }
            if let Some(writer) = &mut writer {
                let values: Vec<Vec<f32>> = levels.into_iter().map(|(_, values)| values).collect();
                writer.append(&images, &values).map_err(StageError::artifact)?;
            }
            done += samples.len();
            context.observer.progress(Progress { done, total: all.len(), unit: "image", loss: None });
        }
        let writer = writer.ok_or_else(|| StageError::data("there are no images in this part of the category"))?;
        writer.finish().map_err(StageError::artifact)?;
        context.observer.cost("images_per_second", done as f64 / started.elapsed().as_secs_f64());
        Ok(())
    }
}
