//! Slots for workers: on the CPU or on GPUs, each with its share of the cores.

use std::path::{Path, PathBuf};

use super::device::{Device, DeviceChoice};
use super::device_error::DeviceError;
use super::memory::available_memory;
use crate::tensor::cuda;

/// Where one worker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Device of the worker.
    pub device: Device,
    /// Number of threads.
    pub threads: usize,
    /// Executable of the worker: this program.
    pub executable: PathBuf,
}

/// The chosen slots, and what a person should know about the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// One slot per worker.
    pub slots: Vec<Slot>,
    /// Why no GPU is used although there is a driver.
    pub note: Option<String>,
}

/// Number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// Given by the user.
    Given(usize),
    /// The number that finishes soonest: one per GPU; on the CPU limited by cores, runs and memory.
    Automatic {
        /// Number of runs to do.
        runs: usize,
        /// Memory that one worker may need, bytes.
        bytes: u64,
    },
}

impl Jobs {
    fn on_cpu(self) -> usize {
        match self {
            Self::Given(jobs) => jobs,
            Self::Automatic { runs, bytes } => {
                // If free memory is unknown, only one worker is sure to fit. A quarter stays free for the page cache and other programs.
                let fit_in_memory =
                    available_memory().map_or(1, |available| (available / 4 * 3 / bytes.max(1)) as usize);
                fastest_worker_count(cores(), runs, fit_in_memory)
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

/// Returns the number of workers that finishes the runs first, if the workers share the cores equally.
///
/// Two threads are 1.5 times as fast as one (BENCHMARKS.md), because of sequential parts and synchronisation.
/// Independent workers do not lose this time. But a core without a run does nothing.
fn fastest_worker_count(cores: usize, runs: usize, fit_in_memory: usize) -> usize {
    let time = |jobs: usize| runs.div_ceil(jobs) as f64 / ((cores / jobs) as f64).powf(1.5_f64.log2());
    // Take the highest number of those that take equal time.
    (1..=cores.min(fit_in_memory).max(1)).rev().min_by(|&a, &b| time(a).total_cmp(&time(b))).unwrap_or(1)
}

/// Returns slots on the CPU, or on GPUs: `per_gpu` workers on each, but at least the number that `jobs` gives, assigned in turn.
/// The slots share the cores equally.
///
/// # Errors
/// GPUs are asked for, but the driver or a GPU is missing.
pub fn slots(choice: &DeviceChoice, jobs: Jobs, per_gpu: usize) -> Result<Slots, DeviceError> {
    let own = std::env::current_exe().map_err(DeviceError::OwnExecutable)?;
    let on_cpu = |note| Slots { slots: with_threads(vec![Device::Cpu; jobs.on_cpu()], &own), note };
    let on_gpus = |indices: &[u32]| Slots {
        slots: with_threads(round_robin(indices, jobs.on_gpus(), per_gpu), &own),
        note: None,
    };
    match choice {
        DeviceChoice::Cpu => Ok(on_cpu(None)),
        DeviceChoice::Auto if !cuda::has_driver() => Ok(on_cpu(None)),
        DeviceChoice::Auto => Ok(match gpus() {
            Ok(indices) => on_gpus(&indices),
            Err(reason) => on_cpu(Some(format!("running on the CPU: {reason}"))),
        }),
        DeviceChoice::Cuda(wanted) => {
            let available = gpus().map_err(DeviceError::NoGpu)?;
            if let Some(&absent) = wanted.iter().find(|index| !available.contains(index)) {
                return Err(DeviceError::Absent { absent, available });
            }
            Ok(on_gpus(if wanted.is_empty() { &available } else { wanted }))
        }
    }
}

/// Returns the number of cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Returns one slot per device; the slots share the cores equally.
fn with_threads(devices: Vec<Device>, executable: &Path) -> Vec<Slot> {
    let threads = (cores() / devices.len()).max(1);
    devices.into_iter().map(|device| Slot { device, threads, executable: executable.to_owned() }).collect()
}

fn round_robin(gpus: &[u32], jobs: usize, per_gpu: usize) -> Vec<Device> {
    (0..jobs.max(gpus.len() * per_gpu)).map(|job| Device::Cuda(gpus[job % gpus.len()])).collect()
}

/// Returns the indices of the GPUs that this process can use: at least one.
fn gpus() -> Result<Vec<u32>, String> {
    Ok(cuda::usable_gpus()?.iter().map(|gpu| gpu.index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_share_the_cores_and_gpus_take_turns() {
        let slots = slots(&DeviceChoice::Cpu, Jobs::Given(3), 1).expect("the CPU is always there").slots;
        assert_eq!(slots.len(), 3);
        assert!(slots.iter().all(|slot| slot.threads == (cores() / 3).max(1)));
        assert_eq!(round_robin(&[0, 1], 1, 1), [Device::Cuda(0), Device::Cuda(1)]);
        assert_eq!(round_robin(&[0, 1], 3, 1), [Device::Cuda(0), Device::Cuda(1), Device::Cuda(0)]);
        assert_eq!(round_robin(&[0], 1, 2), [Device::Cuda(0), Device::Cuda(0)]);
    }

    #[test]
    fn the_fastest_number_of_workers_depends_on_cores_runs_and_memory() {
        assert_eq!([1, 2, 4, 18].map(|runs| fastest_worker_count(2, runs, 99)), [1, 2, 2, 2]);
        assert_eq!([1, 4, 16, 100].map(|runs| fastest_worker_count(16, runs, 99)), [1, 4, 16, 16]);
        assert_eq!((fastest_worker_count(16, 100, 3), fastest_worker_count(16, 100, 0)), (3, 1));
    }
}
