//! The command line of the GPU executable.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::failure::Failure;
use super::global::Global;
use super::gpu::{open, set_numerics};
use super::output::{print, print_json, size, table};
use super::start::{parse, start};
use super::worker::Runner;
use super::{check, predict, speed, worker};
use crate::exit::Exit;
use crate::schedule::Device;
use crate::stages::execute;
use crate::tensor::cuda::{self, ComposedCuda};

/// Run stages of sweeps on NVIDIA GPUs; `didact sweep` starts this program itself.
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
    /// List the GPUs that this process can see.
    Devices {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compare every operation on a GPU with the CPU and with recorded values.
    Check(check::CheckArgs),
    /// Measure training steps on a GPU.
    Speed(speed::SpeedArgs),
    /// Run a worker of a sweep on a GPU.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Score new images with a finished run; `didact predict` starts this itself.
    #[command(hide = true)]
    Predict(predict::PredictArgs),
}

const GPU: Runner = Runner {
    device: "cuda:0",
    open: |device, numerics| {
        set_numerics(numerics)?;
        open(device).map(|_| ())
    },
    execute: execute::<ComposedCuda>,
    predict: crate::predict::predict::<ComposedCuda>,
};

/// Runs the command line and prints an error if it fails.
pub fn main() -> ExitCode {
    let Arguments { global, verb } = match parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    start(global.log, |runtime| match verb {
        Verb::Devices { json } => devices(json),
        Verb::Check(args) => check::run(&args),
        Verb::Speed(args) => speed::run(&args),
        Verb::Worker(args) => runtime.block_on(worker::run(&args, &global, &GPU)),
        Verb::Predict(args) => runtime.block_on(predict::run_here(&args, &global, &GPU)),
    })
}

fn devices(json: bool) -> Result<Exit, Failure> {
    let gpus = cuda::gpus().map_err(|error| Failure::Machine(error.into()))?;
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
