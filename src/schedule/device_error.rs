//! Why a GPU cannot be used.

use std::io;
use std::path::PathBuf;

use super::device::Device;

/// The name of the executable that runs stages on GPUs.
pub(super) const SIBLING: &str = "didact-cuda";

/// What keeps workers from the devices that were asked for: a fact of the machine, not of the command line.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The path of this program is not known, so no worker can be started.
    #[error("cannot find the own executable: {0}")]
    Own(#[source] io::Error),
    /// The executable that runs stages on GPUs is not installed.
    #[error(
        "--device cuda needs the executable {SIBLING} (this one runs on the CPU only): it is not beside this one, not on the PATH, and \
         DIDACT_CUDA does not name it; `just install-gpu` builds it, --device cpu or auto does without"
    )]
    NotInstalled,
    /// GPUs were asked for, and none can be used.
    #[error("--device cuda: {0}; use --device cpu or auto")]
    NoGpu(#[source] NoGpu),
    /// A GPU was named that is not there.
    #[error(
        "--device {}: there is no such GPU; there is {}",
        Device::Cuda(*absent),
        there.iter().map(|&index| Device::Cuda(index).to_string()).collect::<Vec<_>>().join(", ")
    )]
    Absent {
        /// Its index.
        absent: u32,
        /// Those that are there.
        there: Vec<u32>,
    },
}

/// Why the executable that runs stages on GPUs offers none.
#[derive(Debug, thiserror::Error)]
pub enum NoGpu {
    /// It cannot be started.
    #[error("{} cannot be started: {source}", executable.display())]
    NotStarted {
        /// Where it lies.
        executable: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It said why it finds none.
    #[error("{} finds no GPU: {said}", executable.display())]
    Said {
        /// Where it lies.
        executable: PathBuf,
        /// Its words.
        said: String,
    },
    /// Its answer is no list of GPUs.
    #[error("{} finds no GPU: its list of devices cannot be read ({source}): it is of another version", executable.display())]
    Unreadable {
        /// Where it lies.
        executable: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The driver shows none.
    #[error("{} finds no GPU: the NVIDIA driver shows none (CUDA_VISIBLE_DEVICES can hide them)", executable.display())]
    Hidden {
        /// Where it lies.
        executable: PathBuf,
    },
}
