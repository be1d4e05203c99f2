//! The stage `features`: the frozen teacher sees every image of one part of a category once.

use std::time::Instant;

use dfdx::shapes::HasShape;
use dfdx::tensor::TensorFromVec;
use rayon::prelude::*;

use super::{Progress, StageContext, StageError};
use crate::data::{FeatureHeader, FeatureWriter, Image, LevelShape, Reading, Sample, normalise};
use crate::model::{Architecture, Backbone, LevelSet, Resnet};
use crate::nn::Mode;
use crate::tensor::{Backend, Features, to_host};

/// Images a forward pass, where nothing is trained.
///
/// Kernels choose their way by the size of the batch: the last bits of an image's features and maps depend on it, but neither on the
/// place in it nor on the other images.
pub const BATCH: usize = 8;

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
            .map_err(|error| StageError::Data(error.to_string()))?;
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
    let writer = writer.ok_or_else(|| StageError::Data("there are no images in this part of the category".into()))?;
    writer.finish().map_err(StageError::artifact)?;
    context.observer.cost("images_per_second", done as f64 / started.elapsed().as_secs_f64());
    Ok(())
}

/// The shape of the network that left these features.
pub(super) fn backbone(header: &FeatureHeader, architecture: Architecture) -> Result<Backbone, StageError> {
    let numbers = header.level_numbers();
    let (Some(levels), Some(first)) = (LevelSet::of(&numbers), header.levels.first()) else {
        return Err(StageError::Artifact(format!("the features are of levels {numbers:?}, expected some of 1, 2, 3")));
    };
    Ok(Backbone { architecture, width: first.channels >> (levels.finest() - 1), levels })
}

/// Images as a network takes them, (N, side, side, 3).
pub(super) fn normalised<'i, B: Backend>(
    images: impl ExactSizeIterator<Item = &'i Image>,
    side: usize,
) -> Result<Features<B>, StageError> {
    let shape = (images.len(), side, side, 3);
    let pixels: Vec<f32> = images.flat_map(normalise).collect();
    B::device().try_tensor_from_vec(pixels, shape).map_err(StageError::device)
}

/// One forward pass: shape and values of each level.
pub(super) fn forward<B: Backend>(
    teacher: &mut Resnet<B>,
    images: &[(String, Image)],
    side: usize,
) -> Result<Vec<(LevelShape, Vec<f32>)>, StageError> {
    let batch = normalised::<B>(images.iter().map(|(_, image)| image), side)?;
    let levels = teacher.forward(batch, Mode::Evaluate).map_err(StageError::device)?;
    let levels: Vec<_> = levels
        .iter()
        .map(|level| {
            let (_, height, width, channels) = *level.shape();
            (LevelShape { height, width, channels }, to_host(level))
        })
        .collect();
    match levels.iter().all(|(_, values)| values.iter().all(|v| v.is_finite())) {
        true => Ok(levels),
        false => Err(StageError::Data(format!(
            "the teacher's features of {} … are not finite: its weights are damaged or belong to another network",
            images[0].0
        ))),
    }
}
