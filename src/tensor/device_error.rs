//! Failures of a device.

/// Why a device did not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The device has no memory left.
    #[error("{0}")]
    OutOfMemory(String),
    /// The driver failed for another reason: the process cannot use the device any more.
    #[error("{0}")]
    Lost(String),
}

/// Result of an operation.
pub type OpResult<V> = Result<V, DeviceError>;
