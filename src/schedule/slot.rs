//! Where workers run: so many on the CPU, or one a GPU, each with its share of the cores.

use std::path::{Path, PathBuf};

use super::memory::available_memory;
use crate::paths::expanded;
use crate::tensor::Gpu;

/// A device that a stage runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The GPU of this index.
    Cuda(u32),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl std::str::FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = text.strip_prefix("cuda:").and_then(|index| index.parse().ok());
        match (text, index) {
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some(index)) => Ok(Self::Cuda(index)),
            _ => Err("expected cpu, cuda:0, cuda:1, …".to_owned()),
        }
    }
}

/// What `--device` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// GPUs where the sibling executable and the driver are there, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// These GPUs; all where none is named.
    Cuda(Vec<u32>),
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "expected auto, cpu, cuda, cuda:0 or cuda:0,1".to_owned();
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(Vec::new())),
            _ => {
                let indices = text.strip_prefix("cuda:").ok_or_else(wrong)?;
                indices
                    .split(',')
                    .map(|index| index.parse().map_err(|_| wrong()))
                    .collect::<Result<_, _>>()
                    .map(Self::Cuda)
            }
        }
    }
}

/// A place for one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its device.
    pub device: Device,
    /// Its threads.
    pub threads: usize,
    /// The executable that can run stages there.
    pub executable: PathBuf,
}

/// The name of the executable that runs stages on GPUs.
const SIBLING: &str = "didact-cuda";

/// Places for workers, and what a person should know of their choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// One a worker.
    pub slots: Vec<Slot>,
    /// Why the GPU is not used although its executable is there.
    pub note: Option<String>,
}

/// How many workers there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// So many.
    Given(usize),
    /// As many as are through soonest: one a GPU, and on the CPU as many as cores, runs and memory allow.
    Automatic {
        /// Runs that there are to do.
        runs: usize,
        /// Bytes that one worker may come to need.
        bytes: u64,
    },
}

impl Jobs {
    fn on_cpu(self) -> usize {
        match self {
            Self::Given(jobs) => jobs,
            Self::Automatic { runs, bytes } => {
                // Where the system does not tell, only one is sure to fit. A quarter stays free for pages of files and for others.
                let fitting = available_memory().map_or(1, |available| (available / 4 * 3 / bytes.max(1)) as usize);
                soonest(cores(), runs, fitting)
            }
        }
    }

    fn on_gpus(self) -> usize {
        match self {
            Self::Given(jobs) => jobs,
            Self::Automatic { .. } => 1,
        }
    }
}

/// The number of workers, each with its share of the cores, that is through with so many runs first.
///
/// Two threads are 1.5 times as fast as one (BENCHMARKS.md): what is not parallel, and the waits of one thread for another,
/// cost less where workers share no work. But a core without a run is of no use.
fn soonest(cores: usize, runs: usize, fitting: usize) -> usize {
    let time = |jobs: usize| runs.div_ceil(jobs) as f64 / ((cores / jobs) as f64).powf(1.5_f64.log2());
    // The most of those that take the same time.
    (1..=cores.min(fitting).max(1)).rev().min_by(|&a, &b| time(a).total_cmp(&time(b))).unwrap_or(1)
}

/// Places for workers on the CPU, or for `per_gpu` workers on each GPU and at least as many as are wanted in turn over them;
/// the cores are divided among them.
///
/// # Errors
/// What is missing, where GPUs are asked for.
pub fn slots(choice: &DeviceChoice, jobs: Jobs, per_gpu: usize) -> Result<Slots, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find the own executable: {error}"))?;
    let on_cpu = |note| Slots { slots: shared_out(vec![Device::Cpu; jobs.on_cpu()], &own), note };
    let on_gpus = jobs.on_gpus();
    match choice {
        DeviceChoice::Cpu => Ok(on_cpu(None)),
        DeviceChoice::Auto => Ok(match sibling().map(|sibling| (gpus(&sibling), sibling)) {
            None => on_cpu(None),
            Some((Err(reason), _)) => on_cpu(Some(format!("running on the CPU: {reason}"))),
            Some((Ok(gpus), sibling)) => {
                let indices: Vec<u32> = gpus.iter().map(|gpu| gpu.index).collect();
                Slots { slots: shared_out(in_turn(&indices, on_gpus, per_gpu), &sibling), note: None }
            }
        }),
        DeviceChoice::Cuda(wanted) => {
            let sibling = sibling().ok_or_else(|| {
                format!(
                    "--device cuda needs the executable {SIBLING} (this one runs on the CPU only): it is not beside this one, not on \
                     the PATH, and DIDACT_CUDA does not name it; `just install-gpu` builds it, --device cpu or auto does without"
                )
            })?;
            let shown =
                gpus(&sibling).map_err(|reason| format!("--device cuda: {reason}; use --device cpu or auto"))?;
            let shown: Vec<u32> = shown.iter().map(|gpu| gpu.index).collect();
            if let Some(absent) = wanted.iter().find(|index| !shown.contains(index)) {
                let names: Vec<String> = shown.iter().map(|&index| Device::Cuda(index).to_string()).collect();
                return Err(format!("--device cuda:{absent}: there is no such GPU; there is {}", names.join(", ")));
            }
            let indices = if wanted.is_empty() { &shown } else { wanted };
            Ok(Slots { slots: shared_out(in_turn(indices, on_gpus, per_gpu), &sibling), note: None })
        }
    }
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A slot on each device, with its share of the cores.
fn shared_out(devices: Vec<Device>, executable: &Path) -> Vec<Slot> {
    let threads = (cores() / devices.len()).max(1);
    devices.into_iter().map(|device| Slot { device, threads, executable: executable.to_owned() }).collect()
}

fn in_turn(gpus: &[u32], jobs: usize, per_gpu: usize) -> Vec<Device> {
    (0..jobs.max(gpus.len() * per_gpu)).map(|job| Device::Cuda(gpus[job % gpus.len()])).collect()
}

fn sibling() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("DIDACT_CUDA").filter(|path| !path.is_empty()) {
        let named = expanded(Path::new(&named));
        return named.is_file().then_some(named);
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(SIBLING));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(SIBLING)).collect::<Vec<_>>();
    beside.into_iter().chain(on_path).find(|path| path.is_file())
}

/// The GPUs that the sibling can use: at least one.
///
/// It is asked, for it alone can know: it does not even start where libraries are missing.
fn gpus(sibling: &Path) -> Result<Vec<Gpu>, String> {
    let wrong = |reason: &str| format!("{} finds no GPU: {reason}", sibling.display());
    let output = std::process::Command::new(sibling)
        .args(["devices", "--json"])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("{} cannot be started: {error}", sibling.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(wrong(reason.trim_start_matches("error: ")));
    }
    let gpus: Vec<Gpu> = serde_json::from_slice(&output.stdout)
        .map_err(|error| wrong(&format!("its list of devices cannot be read ({error}): it is of another version")))?;
    match gpus.is_empty() {
        true => Err(wrong("the NVIDIA driver shows none (CUDA_VISIBLE_DEVICES can hide them)")),
        false => Ok(gpus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_typed() {
        assert_eq!("cuda:0,2".parse(), Ok(DeviceChoice::Cuda(vec![0, 2])));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(vec![])));
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert!("cuda:x".parse::<DeviceChoice>().is_err() && "gpu".parse::<DeviceChoice>().is_err());
        assert_eq!(Device::Cuda(1).to_string(), "cuda:1");
        assert_eq!(("cuda:1".parse(), "cpu".parse()), (Ok(Device::Cuda(1)), Ok(Device::Cpu)));
    }

    #[test]
    fn threads_are_divided_and_gpus_take_turns() {
        let slots = slots(&DeviceChoice::Cpu, Jobs::Given(3), 1).expect("the CPU is always there").slots;
        assert_eq!(slots.len(), 3);
        assert!(slots.iter().all(|slot| slot.threads == (cores() / 3).max(1)));
        assert_eq!(in_turn(&[0, 1], 1, 1), [Device::Cuda(0), Device::Cuda(1)]);
        assert_eq!(in_turn(&[0, 1], 3, 1), [Device::Cuda(0), Device::Cuda(1), Device::Cuda(0)]);
        assert_eq!(in_turn(&[0], 1, 2), [Device::Cuda(0), Device::Cuda(0)]);
    }
    #[test]
    fn workers_are_as_many_as_are_through_soonest() {
        assert_eq!([1, 2, 4, 18].map(|runs| soonest(2, runs, 99)), [1, 2, 2, 2]);
        assert_eq!([1, 4, 16, 100].map(|runs| soonest(16, runs, 99)), [1, 4, 16, 16]);
        assert_eq!((soonest(16, 100, 3), soonest(16, 100, 0)), (3, 1));
    }
}
