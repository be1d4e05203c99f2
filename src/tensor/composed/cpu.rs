//! The composed operations on the CPU. Tests compare other backends with them.

use dfdx::tensor::Cpu;

use crate::tensor::{Backend, DeviceMemory};

/// dfdx's CPU device with every operation composed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ComposedCpu;

impl Backend for ComposedCpu {
    type Device = Cpu;

    const KIND: &'static str = "composed-cpu";

    /// Returns more memory than any test needs, so that data is kept on the device as on a GPU.
    fn memory() -> Option<DeviceMemory> {
        Some(DeviceMemory { free: 1 << 40, total: 1 << 40, peak: 0 })
    }
}
