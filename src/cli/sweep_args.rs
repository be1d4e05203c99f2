//! Arguments of `didact sweep`.

use std::path::PathBuf;
use std::time::Duration;

use super::parse::{bytes, convolutions, count, duration, key_value, positive_duration};
use crate::schedule::DeviceChoice;
use crate::tensor::Convolutions;

/// Arguments of `didact sweep`.
#[derive(Debug, clap::Args)]
pub(super) struct SweepArgs {
    /// Sweep file [default: the embedded demo].
    pub(super) file: Option<PathBuf>,
    /// Number of worker processes that share the cores [default: on the CPU, as many as runs, cores and memory allow].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
    /// Device of the stages: auto, cpu, cuda (all GPUs), cuda:0 or cuda:0,1.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub(super) device: DeviceChoice,
    /// Number of worker processes per GPU; raise it if one worker leaves the GPU idle.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) workers_per_gpu: u16,
    /// Who computes convolutions on a GPU: own kernels, cuDNN, or whichever should be faster (auto). A stage that goes on from a checkpoint
    /// of another choice starts anew.
    #[arg(long, default_value_t = Convolutions::Auto, value_name = "WHO", value_parser = convolutions)]
    pub(super) convolutions: Convolutions,
    /// GPU memory in which a worker may keep images and features, e.g. 8G [default: a quarter of the free memory].
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) device_memory: Option<u64>,
    /// Memory limit of a worker, e.g. 4G; a stage that exceeds it is retried with fewer concurrent stages.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) memory: Option<u64>,
    /// Override a setting, e.g. --set joint.epochs=5.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) overrides: Vec<(String, String)>,
    /// Limit the sweep to its first N trials (a total, not N more).
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) max_trials: Option<usize>,
    /// Run only this run, trial or stage: T07, or the first digits of a key.
    #[arg(long, value_name = "ID")]
    pub(super) only: Option<String>,
    /// Stop after this time, e.g. 90s, 1h30m or 2d; the same command continues (exit code 130 if runs are left).
    #[arg(long, value_name = "T", value_parser = duration)]
    pub(super) time_limit: Option<Duration>,
    /// Maximum time of a stage, e.g. 2h; a longer stage fails and is retried from its checkpoint.
    #[arg(long, value_name = "T", value_parser = positive_duration)]
    pub(super) stage_timeout: Option<Duration>,
    /// Stop after N more failed runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) max_failures: Option<i64>,
    /// Retry failed stages once more.
    #[arg(long)]
    pub(super) retry_failed: bool,
    /// Replace a sweep of the same name that came from another file.
    #[arg(long)]
    pub(super) replace: bool,
    /// Print the plan and the finished stages, without starting anything.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not write a report at the end.
    #[arg(long)]
    pub(super) no_report: bool,
}
