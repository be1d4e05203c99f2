//! The squared distance of L2-normalised features.

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded<B>>,
) -> OpResult<B, Scalar<B, Recorded<B>>> {
    B::similarity(teacher, features)
}
