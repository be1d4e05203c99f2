//! The memory of a device.

/// The memory of a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Memory that no process uses.
    pub free: u64,
    /// Total memory of the device.
    pub total: u64,
    /// Largest amount that this process used since [`super::Kernels::reset_memory`].
    pub peak: u64,
}
