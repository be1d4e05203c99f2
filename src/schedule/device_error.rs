//! Errors of choosing devices.

use std::io;
use std::path::PathBuf;

use super::device::Device;

/// Name of the executable that runs stages on GPUs.
pub(super) const GPU_EXECUTABLE: &str = "didact-cuda";

/// Why the requested devices cannot be used: a property of the machine, not of the command line.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The path of this program is unknown, so no worker can be started.
    #[error("cannot find the path of this executable: {0}")]
    OwnExecutable(#[source] io::Error),
    /// The executable that runs stages on GPUs is not installed.
    #[error(
        "--device cuda needs the executable `{GPU_EXECUTABLE}`, which is not next to this one, on PATH or in DIDACT_CUDA: run \
         `just install-gpu` to build it, or use --device cpu or auto"
    )]
    NotInstalled,
    /// No GPU can be used.
    #[error("--device cuda: {0}; use --device cpu or auto")]
    NoGpu(#[source] NoGpu),
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

/// Why the GPU executable offers no GPU.
#[derive(Debug, thiserror::Error)]
pub enum NoGpu {
    /// The executable cannot be started.
    #[error("cannot start {}: {source}", executable.display())]
    NotStarted {
        /// Path of the executable.
        executable: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The executable failed with a message.
    #[error("{} found no GPU: {message}", executable.display())]
    Failed {
        /// Path of the executable.
        executable: PathBuf,
        /// Message of the executable.
        message: String,
    },
    /// The output of the executable is not a list of GPUs.
    #[error("{} found no GPU: cannot read its list of devices ({source}): it is another version of didact", executable.display())]
    Unreadable {
        /// Path of the executable.
        executable: PathBuf,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// The driver reports no GPU.
    #[error("{} found no GPU: the NVIDIA driver reports none (CUDA_VISIBLE_DEVICES can hide them)", executable.display())]
    Hidden {
        /// Path of the executable.
        executable: PathBuf,
    },
}
