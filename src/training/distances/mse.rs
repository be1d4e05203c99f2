//! The mean squared difference of features.

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    B::mean_squared_error(features, teacher.clone())
}
