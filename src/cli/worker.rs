//! `didact worker`: a process that runs stages of a sweep.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::failure::Failure;
use super::global::Global;
use super::parse::{bytes, convolutions, count, moment, positive_duration};
use super::signals::listen_for_signals;
use crate::cause::Context;
use crate::exit::Exit;
use crate::predict::{Predict, Submit, predict, submit};
#[cfg(unix)]
use crate::schedule::{
    Device, Execute, Message, Stop, WorkerEnd, WorkerOptions, attach, cores, host_name, keep_freed_memory,
    limit_memory, open_patiently, prefer_as_oom_victim, slurm, work,
};
use crate::stages::execute;
use crate::store::{MAX_BROKEN_WORKERS, Store, Wanted};
use crate::tensor::cuda::{self, Cuda};
use crate::tensor::{Convolutions, Kernels, Native, Numerics};

/// Arguments of `didact worker`.
#[derive(Debug, clap::Args)]
pub(super) struct WorkerArgs {
    /// Name or id of the sweep.
    #[arg(long)]
    sweep: String,
    /// Key of the only run or trial to work on.
    #[arg(long)]
    only: Option<String>,
    /// Number of threads [default: all cores].
    #[arg(long, value_parser = count)]
    threads: Option<usize>,
    /// Device: cpu, cuda:0, cuda:1, ….
    #[arg(long, default_value = "cpu", overrides_with = "device")]
    device: Device,
    /// Who computes convolutions on a GPU: auto, own or cudnn.
    #[arg(long, default_value_t = Convolutions::Auto, value_parser = convolutions)]
    convolutions: Convolutions,
    /// Memory limit of this worker, e.g. 4G.
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
    /// Device memory in which a stage may keep its data, e.g. 8G [default: a quarter of the free memory].
    #[arg(long, value_parser = bytes)]
    device_memory: Option<u64>,
    /// Maximum time of a stage; a longer stage fails.
    #[arg(long, value_parser = positive_duration)]
    stage_timeout: Option<Duration>,
    /// Time at which the worker must have stopped, in seconds since 1970.
    #[arg(long, value_name = "SECONDS", value_parser = moment)]
    until: Option<SystemTime>,
    /// Folder of this machine for copies of artifacts.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Script of the Slurm array in which the worker runs.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// End only when standard input closes: the parent process has ended, or no work is left.
    #[arg(long)]
    attached: bool,
}

/// Error message for a sweep that the CPU cannot run.
pub(super) const TF32_NEEDS_A_GPU: &str = "numerics = \"tf32\" needs a GPU: the CPU computes in 32-bit floats, which is \
another protocol; use --device cuda, or set numerics = \"f32\"";

/// Error message for convolutions that the CPU cannot compute.
pub(super) const CUDNN_NEEDS_A_GPU: &str = "--convolutions cudnn needs a GPU: use --device cuda, or leave the flag out";

/// What a device runs.
pub(super) struct Runner {
    /// Runs a stage on the device.
    pub(super) execute: Execute,
    /// Scores images with a finished run on the device.
    pub(super) predict: Predict,
    /// Writes the maps of an object's private images on the device.
    pub(super) submit: Submit,
    /// Who computes convolutions, as attempts record it.
    pub(super) convolutions: String,
}

impl Runner {
    /// Opens a device with the precision of a protocol.
    pub(super) fn open(device: Device, numerics: Numerics, convolutions: Convolutions) -> Result<Self, Failure> {
        match (device, numerics) {
            (Device::Cpu, Numerics::Tf32) => Err(Failure::usage(TF32_NEEDS_A_GPU)),
            (Device::Cpu, Numerics::F32) if convolutions == Convolutions::Cudnn => {
                Err(Failure::usage(CUDNN_NEEDS_A_GPU))
            }
            (Device::Cpu, Numerics::F32) => Ok(Self {
                execute: execute::<Native>,
                predict: predict::<Native>,
                submit: submit::<Native>,
                convolutions: Native::convolutions(),
            }),
            (Device::Cuda(index), numerics) => {
                cuda::open(index, numerics, convolutions).map_err(|reason| Failure::Machine(reason.into()))?;
                Ok(Self {
                    execute: execute::<Cuda>,
                    predict: predict::<Cuda>,
                    submit: submit::<Cuda>,
                    convolutions: Cuda::convolutions(),
                })
            }
        }
    }
}

/// Runs the verb.
pub(super) async fn run(args: &WorkerArgs, global: &Global) -> Result<Exit, Failure> {
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
    let store = open_patiently(&global.store).await?;
    let (sweep, _) = store.find_sweep(Some(&args.sweep)).await?;
    let runner = Runner::open(args.device, store.numerics(&sweep).await?, args.convolutions)?;
    let stop = Stop::default();
    listen_for_signals(&stop);
    if args.attached {
        #[cfg(unix)]
        attach();
        let stop = stop.clone();
        // In a separate thread, because a blocked read must not keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            stop.request();
        });
    }
    let options = WorkerOptions {
        wanted: Wanted { sweep, only: args.only.clone() },
        threads,
        device: args.device.to_string(),
        convolutions: runner.convolutions,
        device_memory: args.device_memory,
        attached: args.attached,
        stage_timeout: args.stage_timeout,
        scratch: args.scratch.clone(),
        until: args.until,
        execute: runner.execute,
    };
    let end = work(&store, &global.own_artifacts(&store).await?, &options, &stop).await;
    Message::flush();
    match end? {
        WorkerEnd::NothingLeft => Ok(Exit::Done),
        // The parent process knows what is left.
        WorkerEnd::StopRequested if args.attached => Ok(Exit::Done),
        WorkerEnd::StopRequested | WorkerEnd::OutOfTime => match store.has_open_stages(&options.wanted).await? {
            true => Ok(Exit::Interrupted),
            false => Ok(Exit::Done),
        },
        WorkerEnd::TooLittleTime(reason) => Err(Failure::Machine(reason.into())),
        WorkerEnd::BrokenHost(hosts) => replace_worker(&store, args, global, &options.wanted.sweep, &hosts).await,
        // The parent process shows the message.
        WorkerEnd::OtherVersion(_) if args.attached => Ok(Exit::Store),
        WorkerEnd::OtherVersion(reason) => Err(Failure::Refused(reason)),
        WorkerEnd::Broken(reason) | WorkerEnd::DeviceLost(reason) => Err(Failure::Stopped(reason)),
    }
}

/// Ends a worker on a host that gets no more workers. In a Slurm array, submits another task in its place, which excludes such hosts.
async fn replace_worker(
    store: &Store,
    args: &WorkerArgs,
    global: &Global,
    sweep: &str,
    hosts: &[String],
) -> Result<Exit, Failure> {
    let reason = format!(
        "the last {MAX_BROKEN_WORKERS} workers on {} stopped because of the machine, so it gets no more workers of this sweep",
        host_name()
    );
    let (Some(script), Ok(task)) = (&args.script, std::env::var("SLURM_ARRAY_TASK_ID")) else {
        return Err(Failure::Stopped(reason));
    };
    let options = [format!("--array={task}"), format!("--exclude={}", hosts.join(","))];
    let job = slurm::submit(script, &global.store, &options).map_err(|error| Failure::Machine(error.into()))?;
    let (_, name) = store.find_sweep(Some(sweep)).await?;
    store.record_array(sweep, &job, &slurm::array_name(&name), &task).await?;
    store.record_event(sweep, "excluded", &format!("{reason}; array {job} takes over task {task}")).await?;
    Ok(Exit::Done)
}
