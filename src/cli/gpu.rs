//! A GPU for this process, and how exactly it computes.

use super::failure::Failure;
use crate::cause::Context;
use crate::schedule::{Device, DeviceError};
use crate::tensor::{Gpu, Numerics, cuda};

/// Opens a GPU by its name, `cuda:0`.
pub(super) fn open(device: &str) -> Result<Gpu, Failure> {
    match device.parse() {
        Ok(Device::Cuda(index)) => cuda::open(index).map_err(|error| Failure::Machine(error.into())),
        _ => {
            let message = format!("--device {device}: this executable runs stages on GPUs: expected cuda:0, cuda:1, …");
            Err(Failure::usage(message))
        }
    }
}

/// Has cuBLAS compute as exactly as that: it reads a variable once, so where that is set otherwise the process starts itself
/// anew with it, as the same process to everybody else.
pub(super) fn compute_as(numerics: Numerics) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    if std::env::var(Numerics::VARIABLE).is_ok_and(|value| value == numerics.value()) {
        return Ok(());
    }
    let own = std::env::current_exe().map_err(DeviceError::Own)?;
    let error = std::process::Command::new(&own)
        .args(std::env::args_os().skip(1))
        .env(Numerics::VARIABLE, numerics.value())
        .exec();
    Err(Failure::Machine(Context::new(format!("cannot start {} anew", own.display()), error).into()))
}
