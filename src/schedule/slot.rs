//! Where workers run: so many on the CPU, or one a GPU, each with its share of the cores.

use std::path::{Path, PathBuf};

use super::device::{Device, DeviceChoice};
use super::device_error::{DeviceError, NoGpu, SIBLING};
use super::memory::available_memory;
use crate::paths::expanded;
use crate::tensor::Gpu;

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
pub fn slots(choice: &DeviceChoice, jobs: Jobs, per_gpu: usize) -> Result<Slots, DeviceError> {
    let own = std::env::current_exe().map_err(DeviceError::Own)?;
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
            let sibling = sibling().ok_or(DeviceError::NotInstalled)?;
            let there: Vec<u32> = gpus(&sibling).map_err(DeviceError::NoGpu)?.iter().map(|gpu| gpu.index).collect();
            if let Some(&absent) = wanted.iter().find(|index| !there.contains(index)) {
                return Err(DeviceError::Absent { absent, there });
            }
            let indices = if wanted.is_empty() { &there } else { wanted };
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
fn gpus(sibling: &Path) -> Result<Vec<Gpu>, NoGpu> {
    let executable = || sibling.to_owned();
    let output = std::process::Command::new(sibling)
        .args(["devices", "--json"])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|source| NoGpu::NotStarted { executable: executable(), source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        let said = reason.trim_start_matches("error: ").to_owned();
        return Err(NoGpu::Said { executable: executable(), said });
    }
    let gpus: Vec<Gpu> = serde_json::from_slice(&output.stdout)
        .map_err(|source| NoGpu::Unreadable { executable: executable(), source })?;
    match gpus.is_empty() {
        true => Err(NoGpu::Hidden { executable: executable() }),
        false => Ok(gpus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
