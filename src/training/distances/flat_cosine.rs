//! One minus the cosine of the angle between whole feature maps, each flattened to one vector (Deng and Li 2022, official code).

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    super::cosine::mean::<B>(&teacher.clone().flattened(), features.flattened())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Native;

    #[test]
    fn the_angle_is_that_of_the_whole_map_of_each_image() {
        // Two images of two positions with one channel: cosines 3/5 and -1.
        let features = |values: [f32; 4]| Native::upload(values.to_vec(), (2, 2, 1, 1)).expect("memory");
        let student = features([3.0, 4.0, -2.0, 0.0]).put_tape(Default::default());
        let loss = mean::<Native>(&features([1.0, 0.0, 7.0, 0.0]), student).expect("memory");
        let loss = Native::number(&loss).expect("memory");
        assert!((loss - (0.4 + 2.0) / 2.0).abs() < 1e-6, "{loss}");
    }
}
