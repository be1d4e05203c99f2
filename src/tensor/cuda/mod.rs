//! NVIDIA GPUs. The driver is found when the program runs; without one, everything works on the CPU. cuDNN is optional.

mod arena;
mod backend;
mod convolution;
mod cudnn;
mod device;
mod driver;
mod inbox;
mod launch;
mod losses;
mod norm;
mod optimiser;
mod provider;
mod queue;
mod resample;
mod tiles;

pub use backend::Cuda;
pub use cudnn::cudnn_version;
pub use device::open;
pub use driver::{gpus, has_driver, usable_gpus};

/// Opens the first GPU for tests.
#[cfg(test)]
pub(crate) fn open_for_tests() {
    let with_cudnn = std::env::var(device::TESTING).is_ok_and(|testing| testing.contains("cudnn"));
    let convolutions = if with_cudnn { super::Convolutions::Cudnn } else { super::Convolutions::Own };
    open(0, super::Numerics::F32, convolutions)
        .expect("a GPU, or the emulated driver on the loader's path: just test-emulation");
}
