//! NVIDIA GPUs. The driver is found when the program runs; without one, everything works on the CPU.

mod arena;
mod backend;
mod convolution;
mod device;
mod driver;
mod inbox;
mod launch;
mod losses;
mod norm;
mod optimiser;
mod queue;
mod resample;
mod tiles;

pub use backend::Cuda;
pub use device::open;
pub use driver::{gpus, has_driver, usable_gpus};

/// Opens the first GPU for tests.
#[cfg(test)]
pub(crate) fn open_for_tests() {
    open(0, super::Numerics::F32).expect("a GPU, or the emulated driver on the loader's path: just test-emulation");
}
