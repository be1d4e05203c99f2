//! A device of dfdx: its handle, its buffers and its memory. All backends of a device share it.

use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Cpu, Tensor};

use super::tensors::Buffer;

/// A device of dfdx that backends can run on.
pub trait TensorDevice: dfdx::tensor_ops::Device<f32> {
    /// Returns the process's handle of the device.
    fn handle() -> Self;

    /// Copies a buffer of the device to the host.
    fn read(buffer: &Buffer<Self>) -> Vec<f32>;

    /// Overwrites a buffer of the device.
    fn write(buffer: &mut Buffer<Self>, values: &[f32]);

    /// Returns the state of the device's own memory, or `None` if the device uses the host's memory.
    fn memory() -> Option<DeviceMemory> {
        None
    }

    /// Resets the peak of [`DeviceMemory`] and frees memory that the process holds but does not use.
    fn reset_memory() {}
}

/// The memory of a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Memory that no process uses.
    pub free: u64,
    /// Total memory of the device.
    pub total: u64,
    /// Largest amount that this process used since [`TensorDevice::reset_memory`].
    pub peak: u64,
}

impl TensorDevice for Cpu {
    fn handle() -> Self {
        Self::default()
    }

    fn read(buffer: &Buffer<Self>) -> Vec<f32> {
        buffer.to_vec()
    }

    fn write(buffer: &mut Buffer<Self>, values: &[f32]) {
        buffer.copy_from_slice(values);
    }
}

/// Copies a tensor to the host, row-major.
pub(crate) fn to_host<S: Shape, D: dfdx::tensor_ops::Device<f32>, T>(tensor: &Tensor<S, f32, D, T>) -> Vec<f32> {
    let mut values = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut values);
    values
}
