//! The smooth L1 distance (Girshick 2015, "Fast R-CNN", equation 3): quadratic for differences below 1, linear above.

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    B::smooth_l1(features, teacher)
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::tensor::Native;

    #[test]
    fn small_differences_are_squared_and_large_ones_are_not() {
        let features = |values: [f32; 4]| Native::upload(values.to_vec(), (1, 1, 2, 2)).expect("memory");
        let student = features([0.5, -0.5, 3.0, -1.0]).put_tape(Default::default());
        let loss = mean::<Native>(&features([0.0; 4]), student).expect("memory");
        // ½·0.25, ½·0.25, 3 − ½, 1 − ½.
        assert_eq!(Native::download(&loss).expect("memory"), [(0.125 + 0.125 + 2.5 + 0.5) / 4.0]);
    }
}
