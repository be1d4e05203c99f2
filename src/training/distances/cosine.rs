//! One minus the cosine of the angle between features.

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    // ‖t − s‖² = 2 − 2·cos for unit vectors.
    B::weighted_sum((B::similarity(teacher, features)?, 0.5), [])
}
