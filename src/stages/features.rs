//! The stage `features`: the frozen teacher sees every image of one part of a category once.

use std::time::Instant;

use rayon::prelude::*;

use crate::data::{FeatureWriter, Image, Reading, Sample};
use crate::model::Resnet;
use crate::tensor::Backend;
use crate::training::{BATCH, Progress, StageContext, StageError, forward};

/// What the stage works on.
pub struct FeaturesInput<'a, B: Backend> {
    /// The images, in order.
    pub samples: &'a [Sample],
    /// Side to which they are prepared.
    pub image_size: usize,
    /// How their files are read.
    pub reading: Reading,
    /// The frozen teacher.
    pub teacher: Resnet<B>,
}

/// Writes the features artifact.
pub fn features<B: Backend>(mut input: FeaturesInput<'_, B>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let started = Instant::now();
    let mut writer: Option<FeatureWriter> = None;
    let mut done = 0;
    for samples in input.samples.chunks(BATCH) {
        if context.observer.stop_requested() {
            return Err(StageError::Interrupted);
        }
        let images: Vec<(String, Image)> = samples
            .par_iter()
            .map(|sample| Ok((sample.image.clone(), sample.load(input.image_size, input.reading)?)))
            .collect::<Result<_, crate::data::DataError>>()
            .map_err(StageError::data)?;
        let levels = forward(&mut input.teacher, &images, input.image_size)?;
        if writer.is_none() {
            let shapes = levels.iter().map(|(shape, _)| *shape).collect();
            writer = Some(FeatureWriter::create(context.out, input.image_size, shapes).map_err(StageError::artifact)?);
        }
        if let Some(writer) = &mut writer {
            let values: Vec<Vec<f32>> = levels.into_iter().map(|(_, values)| values).collect();
            writer.append(&images, &values).map_err(StageError::artifact)?;
        }
        done += samples.len();
        context.observer.progress(Progress { done, total: input.samples.len(), unit: "image", loss: None });
    }
    let writer = writer.ok_or_else(|| StageError::data("there are no images in this part of the category"))?;
    writer.finish().map_err(StageError::artifact)?;
    context.observer.cost("images_per_second", done as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
