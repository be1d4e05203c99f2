//! The command line of the GPU executable.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dfdx::tensor::Cuda;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, print_json, size, table};
use super::start::start;
use super::worker::{self, Runner};
use super::{check, predict, speed};
use crate::schedule::{Device, execute};
use crate::tensor::{Composed, Numerics, cuda};

/// Runs the stages of didact's sweeps on NVIDIA GPUs; `didact sweep` starts this itself.
#[derive(Debug, Parser)]
#[command(name = "didact-cuda", version)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the GPUs that this process may see.
    Devices {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Compare every operation on a GPU with the CPU and with recorded values; one table.
    Check(check::CheckArgs),
    /// Measure training steps on a GPU; one table.
    Speed(speed::SpeedArgs),
    /// Serve a sweep on a GPU.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Write maps, overlays and scores of any images by a run that is done; `didact predict` starts this itself.
    #[command(hide = true)]
    Predict(predict::PredictArgs),
}

const GPU: Runner = Runner {
    device: "cuda:0",
    open: |device, numerics| {
        compute_as(numerics)?;
        open(device).map(|_| ())
    },
    execute: execute::<Composed<Cuda>>,
    predict: crate::predict::predict::<Composed<Cuda>>,
};

/// Parses, runs, tells what went wrong.
pub fn main() -> ExitCode {
    let Arguments { global, verb } = Arguments::parse();
    start(&global.log, |runtime| match verb {
        Verb::Devices { json } => devices(json),
        Verb::Check(args) => check::run(&args),
        Verb::Speed(args) => speed::run(&args),
        Verb::Worker(args) => runtime.block_on(worker::run(&args, &global, &GPU)),
        Verb::Predict(args) => runtime.block_on(predict::run_here(&args, &global, &GPU)),
    })
}

/// Opens a GPU by its name, `cuda:0`.
pub(super) fn open(device: &str) -> Result<crate::tensor::Gpu, Failure> {
    match device.parse() {
        Ok(Device::Cuda(index)) => cuda::open(index).map_err(|error| Failure::new(Exit::Usage, error)),
        _ => {
            let message = format!("--device {device}: this executable runs stages on GPUs: expected cuda:0, cuda:1, …");
            Err(Failure::new(Exit::Usage, message))
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
    let own = std::env::current_exe().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let error = std::process::Command::new(&own)
        .args(std::env::args_os().skip(1))
        .env(Numerics::VARIABLE, numerics.value())
        .exec();
    Err(Failure::new(Exit::Usage, format!("cannot start {} anew: {error}", own.display())))
}

fn devices(json: bool) -> Result<Exit, Failure> {
    let gpus = cuda::gpus().map_err(|error| Failure::new(Exit::Usage, error))?;
    if json {
        print_json(&gpus)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = gpus
        .into_iter()
        .map(|gpu| vec![Device::Cuda(gpu.index).to_string(), gpu.name, gpu.capability, size(gpu.memory)])
        .collect();
    print(&table(&["device", "name", "compute capability", "memory"], &rows))?;
    Ok(Exit::Done)
}
