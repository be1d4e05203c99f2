//! Creates tensors from buffers.

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, Tensor, TensorFromVec};

use crate::tensor::tensors::DeviceResult;

/// Returns a buffer as a tensor without tape. The buffer is moved, not copied.
pub(super) fn tensor<S: Shape>(values: Vec<f32>, shape: S) -> DeviceResult<Cpu, Tensor<S, f32, Cpu>> {
    Cpu::default().try_tensor_from_vec(values, shape)
}
