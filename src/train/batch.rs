//! Batches of a feature set on a device.

use dfdx::tensor::TensorFromVec;

use super::StageError;
use crate::data::FeatureSet;
use crate::tensor::{Backend, Features};

/// Normalised images (N, side, side, 3).
pub(crate) fn images<B: Backend>(set: &FeatureSet, indices: &[usize]) -> Result<Features<B>, StageError> {
    let side = set.header().side;
    B::Device::default()
        .try_tensor_from_vec(set.normalised(indices), (indices.len(), side, side, 3))
        .map_err(StageError::device)
}

/// Teacher features of one level (from 0), (N, H, W, C).
pub(crate) fn teacher<B: Backend>(
    set: &FeatureSet,
    level: usize,
    indices: &[usize],
) -> Result<Features<B>, StageError> {
    let shape = set.header().levels[level];
    B::Device::default()
        .try_tensor_from_vec(set.features(level, indices), (indices.len(), shape.height, shape.width, shape.channels))
        .map_err(StageError::device)
}
