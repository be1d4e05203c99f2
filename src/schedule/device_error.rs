//! Errors of choosing devices.

use std::io;

use super::device::Device;

/// Why the requested devices cannot be used: a property of the machine, not of the command line.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The path of this program is unknown, so no worker can be started.
    #[error("cannot find the path of this executable: {0}")]
    OwnExecutable(#[source] io::Error),
    /// No GPU can be used.
    #[error("--device cuda: {0}; use --device cpu or auto")]
    NoGpu(String),
    /// A requested GPU does not exist.
    #[error(
        "--device {}: no such GPU; available: {}",
        Device::Cuda(*absent),
        available.iter().map(|&index| Device::Cuda(index).to_string()).collect::<Vec<_>>().join(", ")
    )]
    Absent {
        /// Index of the requested GPU.
        absent: u32,
        /// Indices of the available GPUs.
        available: Vec<u32>,
    },
}
