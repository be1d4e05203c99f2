//! The smooth L1 distance (Girshick 2015, "Fast R-CNN", equation 3): quadratic for differences below 1, linear above.

use dfdx::shapes::Axis;
use dfdx::tensor_ops::MeanTo;

use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

/// Difference above which the distance is linear.
const LINEAR_ABOVE: f64 = 1.0;

pub(super) fn mean<B: Backend>(
    teacher: &Features<B>,
    features: Features<B, Recorded<B>>,
) -> OpResult<B, Scalar<B, Recorded<B>>> {
    let of_values = features.try_huber_error(teacher.clone(), LINEAR_ABOVE)?;
    // The mean of one axis after the other keeps sums short, and so their rounding errors small.
    let of_pixels = of_values.try_mean::<(usize, usize, usize), Axis<3>>()?;
    let of_rows = of_pixels.try_mean::<(usize, usize), Axis<2>>()?;
    of_rows.try_mean::<(usize,), Axis<1>>()?.try_mean::<(), Axis<0>>()
}

#[cfg(test)]
mod tests {
    use dfdx::tensor::{PutTape, TensorFromVec};

    use super::*;
    use crate::tensor::{Native, to_host};

    #[test]
    fn small_differences_are_squared_and_large_ones_are_not() {
        let features =
            |values: [f32; 4]| Native::device().try_tensor_from_vec(values.to_vec(), (1, 1, 2, 2)).expect("memory");
        let student = features([0.5, -0.5, 3.0, -1.0]).put_tape(Default::default());
        let loss = mean::<Native>(&features([0.0; 4]), student).expect("memory");
        // ½·0.25, ½·0.25, 3 − ½, 1 − ½.
        assert_eq!(to_host(&loss), [(0.125 + 0.125 + 2.5 + 0.5) / 4.0]);
    }
}
