//! Opens a GPU for this process and sets its precision.

use super::failure::Failure;
use crate::cause::Context;
use crate::schedule::{Device, DeviceError};
use crate::tensor::{Gpu, Numerics, cuda};

/// Opens a GPU by its name, `cuda:0`.
pub(super) fn open(device: &str) -> Result<Gpu, Failure> {
    match device.parse() {
        Ok(Device::Cuda(index)) => cuda::open(index).map_err(|error| Failure::Machine(error.into())),
        _ => {
            let message = format!("--device {device}: this executable runs on GPUs only; expected cuda:0, cuda:1, …");
            Err(Failure::usage(message))
        }
    }
}

/// Sets the precision of cuBLAS, which reads it once from an environment variable.
///
/// If the variable has another value, the process replaces itself with the same command and the right value, under the same process id.
pub(super) fn set_numerics(numerics: Numerics) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    if std::env::var(Numerics::VARIABLE).is_ok_and(|value| value == numerics.value()) {
        return Ok(());
    }
    let own = std::env::current_exe().map_err(DeviceError::OwnExecutable)?;
    let error = std::process::Command::new(&own)
        .args(std::env::args_os().skip(1))
        .env(Numerics::VARIABLE, numerics.value())
        .exec();
    Err(Failure::Machine(Context::new(format!("cannot restart {}", own.display()), error).into()))
}
