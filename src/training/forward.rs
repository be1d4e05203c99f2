//! Forward passes of the frozen teacher over prepared images.

use super::context::StageError;
use crate::data::{FeatureHeader, Image, LevelShape, normalise};
use crate::model::{Architecture, Backbone, LevelSet, Resnet};
use crate::nn::Mode;
use crate::tensor::{Backend, Features};

/// Images per forward pass when nothing is trained.
///
/// Kernels choose their algorithm by batch size. The last bits of an image's features and maps therefore depend on the batch size. They
/// depend neither on the image's place in the batch nor on the other images.
pub const BATCH: usize = 8;

/// Returns the shape of the network that computed these features.
pub(crate) fn backbone(header: &FeatureHeader, architecture: Architecture) -> Result<Backbone, StageError> {
    let numbers = header.level_numbers();
    let (Some(levels), Some(first)) = (LevelSet::of(&numbers), header.levels.first()) else {
        return Err(StageError::artifact(format!("the features are of levels {numbers:?}, expected some of 1, 2, 3")));
    };
    let width = (first.channels >> (levels.finest() - 1)) / architecture.block().expansion();
    Ok(Backbone { architecture, width, levels })
}

/// Returns images in the form that networks take, (N, side, side, 3).
pub(crate) fn normalised<'i, B: Backend>(
    images: impl ExactSizeIterator<Item = &'i Image>,
    side: usize,
) -> Result<Features<B>, StageError> {
    let shape = (images.len(), side, side, 3);
    let pixels: Vec<f32> = images.flat_map(normalise).collect();
    B::upload(pixels, shape).map_err(StageError::device)
}

/// Runs one forward pass. Returns the shape and the values of each level.
pub(crate) fn forward<B: Backend>(
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
            Ok((LevelShape { height, width, channels }, B::download(level).map_err(StageError::device)?))
        })
        .collect::<Result<_, StageError>>()?;
    match levels.iter().all(|(_, values)| values.iter().all(|v| v.is_finite())) {
        true => Ok(levels),
        false => Err(StageError::data(format!(
            "the teacher's features of {} … are not finite: its weights are damaged or belong to another network",
            images[0].0
        ))),
    }
}
