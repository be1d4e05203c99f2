//! `didact devices`: lists the devices that stages can run on.

use super::failure::Failure;
use super::output::{print, print_json, size, table};
use crate::exit::Exit;
use crate::schedule::Device;
use crate::tensor::cuda;
use crate::terminal::say;

/// Arguments of `didact devices`.
#[derive(Debug, clap::Args)]
pub(super) struct DevicesArgs {
    /// Print the GPUs as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(super) fn run(args: &DevicesArgs) -> Result<Exit, Failure> {
    let gpus = cuda::gpus();
    if args.json {
        print_json(&gpus.map_err(|reason| Failure::Machine(reason.into()))?)?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![vec![Device::Cpu.to_string(), "-".to_owned(), "-".to_owned(), "-".to_owned()]];
    match gpus {
        Ok(gpus) => {
            say(&match cuda::cudnn_version() {
                Ok(version) => format!("cuDNN {version}"),
                Err(reason) => format!("own kernels compute all convolutions: {reason}"),
            });
            rows.extend(
                gpus.into_iter()
                    .map(|gpu| vec![Device::Cuda(gpu.index).to_string(), gpu.name, gpu.capability, size(gpu.memory)]),
            );
        }
        Err(reason) => say(&format!("no GPU: {reason}")),
    }
    print(&table(&["device", "name", "compute capability", "memory"], &rows))?;
    Ok(Exit::Done)
}
