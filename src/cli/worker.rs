//! `didact worker`: one process that serves a sweep.

use std::time::Duration;

use super::failure::Failure;
use super::global::Global;
use super::parse::{bytes, count, some_duration};
use super::signals::listen_for_signals;
use crate::cause::Context;
use crate::exit::Exit;
use crate::predict::{Predict, predict};
#[cfg(unix)]
use crate::schedule::{
    Execute, Message, Stop, WorkerEnd, WorkerOptions, attach, cores, keep_freed_memory, limit_memory,
    prefer_as_oom_victim, work,
};
use crate::stages::execute;
use crate::store::{Access, Store, Wanted};
use crate::tensor::{Native, Numerics};

/// Arguments of `didact worker`.
#[derive(Debug, clap::Args)]
pub(super) struct WorkerArgs {
    /// Name or id of the sweep to serve.
    #[arg(long)]
    sweep: String,
    /// Serve one run or trial of it alone, by its key.
    #[arg(long)]
    only: Option<String>,
    /// Threads to use [default: all cores].
    #[arg(long, value_parser = count)]
    threads: Option<usize>,
    /// The device: cpu, or cuda:0 (the default of the GPU executable), cuda:1, ….
    #[arg(long, overrides_with = "device")]
    device: Option<String>,
    /// Memory that this worker may have, e.g. 4G.
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
    /// Memory of the device that a stage may keep its data in, e.g. 8G [default: a quarter of what is free].
    #[arg(long, value_parser = bytes)]
    device_memory: Option<u64>,
    /// A stage that takes longer has failed.
    #[arg(long, value_parser = some_duration)]
    stage_timeout: Option<Duration>,
    /// End when standard input closes, not before: the process that started this one has gone, or says that nothing is left.
    #[arg(long)]
    attached: bool,
}

/// Why the CPU cannot serve such a sweep.
pub(super) const TF32_NEEDS_A_GPU: &str = "numerics = \"tf32\": the CPU computes in 32-bit floats, which is another \
protocol; use --device cuda, or numerics = \"f32\"";

/// What an executable runs stages, and predicts, with.
pub(super) struct Runner {
    /// The device that is meant where none is named.
    pub(super) device: &'static str,
    /// Makes the device of this name ready to compute as exactly as that.
    pub(super) open: fn(&str, Numerics) -> Result<(), Failure>,
    /// Runs a stage on it.
    pub(super) execute: Execute,
    /// Has a finished run say something of images on it.
    pub(super) predict: Predict,
}

impl Runner {
    /// The CPU.
    pub(super) const CPU: Self = Self {
        device: "cpu",
        open: |device, numerics| match (device, numerics) {
            ("cpu", Numerics::F32) => Ok(()),
            ("cpu", Numerics::Tf32) => Err(Failure::usage(TF32_NEEDS_A_GPU)),
            _ => {
                let message = format!("--device {device}: this executable runs stages on the CPU only");
                Err(Failure::usage(message))
            }
        },
        execute: execute::<Native>,
        predict: predict::<Native>,
    };
}

/// Runs the verb.
pub(super) async fn run(args: &WorkerArgs, global: &Global, runner: &Runner) -> Result<Exit, Failure> {
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let threads = args.threads.unwrap_or_else(cores);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Failure::Machine(Context::new(format!("cannot start {threads} threads"), error).into()))?;
    prefer_as_oom_victim();
    keep_freed_memory();
    if let Some(bytes) = args.memory {
        limit_memory(bytes)
            .map_err(|error| Failure::Machine(Context::new(format!("--memory {bytes}"), error).into()))?;
    }
    let store = Store::open(&global.store, Access::Serve).await?;
    let (sweep, _) = store.find_sweep(Some(&args.sweep)).await?;
    let device = args.device.clone().unwrap_or_else(|| runner.device.to_owned());
    (runner.open)(&device, store.numerics(&sweep).await?)?;
    let stop = Stop::default();
    listen_for_signals(stop.clone());
    if args.attached {
        #[cfg(unix)]
        attach();
        let stop = stop.clone();
        // A thread of its own: reading blocks, and must not keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            stop.request();
        });
    }
    let options = WorkerOptions {
        wanted: Wanted { sweep, only: args.only.clone() },
        threads,
        device,
        device_memory: args.device_memory,
        attached: args.attached,
        stage_timeout: args.stage_timeout,
        execute: runner.execute,
    };
    let end = work(&store, &global.own_artifacts(&store).await?, &options, &stop).await;
    Message::flush();
    match end? {
        WorkerEnd::NothingLeft | WorkerEnd::Asked => Ok(Exit::Done),
        // Whoever started it says so.
        WorkerEnd::OtherVersion(_) if args.attached => Ok(Exit::Store),
        WorkerEnd::OtherVersion(reason) => Err(Failure::Refused(reason)),
        WorkerEnd::Broken(reason) | WorkerEnd::DeviceLost(reason) => Err(Failure::Stopped(reason)),
    }
}
