//! The squared distance of L2-normalised features.

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    B::similarity(teacher, features)
}
