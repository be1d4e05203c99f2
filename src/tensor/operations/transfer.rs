//! Between host and device.

use dfdx::shapes::Shape;

use crate::tensor::tensor::{Features, Rows, Tensor};
use crate::tensor::{Kernels, OpResult};

/// See [`crate::tensor::Backend::upload`].
pub(in crate::tensor) fn upload<S: Shape, B: Kernels>(values: Vec<f32>, shape: S) -> OpResult<Tensor<S, B>> {
    debug_assert_eq!(values.len(), shape.num_elements());
    Ok(Tensor::new(B::upload_buffer(values)?, shape))
}

/// See [`crate::tensor::Backend::keep`].
pub(in crate::tensor) fn keep<B: Kernels>(values: &[f32], shape: (usize, usize)) -> OpResult<Rows<B>> {
    debug_assert_eq!(values.len(), shape.num_elements());
    Ok(Tensor::new(B::keep_buffer(values)?, shape))
}

/// See [`crate::tensor::Backend::gather`].
pub(in crate::tensor) fn gather<B: Kernels>(
    rows: &Rows<B>,
    indices: &[usize],
    shape: (usize, usize, usize, usize),
) -> OpResult<Features<B>> {
    let (_, columns) = *rows.shape();
    debug_assert_eq!(indices.len() * columns, shape.num_elements());
    Ok(Tensor::new(B::gathered(rows.buffer(), indices, columns)?, shape))
}
