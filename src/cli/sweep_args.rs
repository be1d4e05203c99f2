//! The arguments of `didact sweep`.

use std::path::PathBuf;
use std::time::Duration;

use super::parse::{bytes, count, duration, key_value, some_duration};
use crate::schedule::DeviceChoice;

/// Arguments of `didact sweep`.
#[derive(Debug, clap::Args)]
pub(super) struct SweepArgs {
    /// The sweep file; without one, the embedded demo.
    pub(super) file: Option<PathBuf>,
    /// Worker processes; the cores are divided among them [default: on the CPU as many as runs, cores and memory allow].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
    /// Where stages run: auto, cpu, cuda (all GPUs), cuda:0, cuda:0,1.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub(super) device: DeviceChoice,
    /// Worker processes on each GPU: more than one where a single one leaves it idle, and its memory allows.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) workers_per_gpu: u16,
    /// Memory of a GPU in which a worker may keep images and features, e.g. 8G [default: a quarter of what is free].
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) device_memory: Option<u64>,
    /// What a worker may have of memory, e.g. 4G: one that wants more is ended, and its stage tried with fewer neighbours.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) memory: Option<u64>,
    /// Override a setting, e.g. --set joint.epochs=5.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) overrides: Vec<(String, String)>,
    /// Take the first N trials only (a total, not "more").
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) max_trials: Option<usize>,
    /// Run one run, trial or stage alone: T07, or the first digits of a key.
    #[arg(long, value_name = "ID")]
    pub(super) only: Option<String>,
    /// Stop after this time, e.g. 90s, 1h30m, 2d (exit code 130 if runs are left; the same command continues).
    #[arg(long, value_name = "T", value_parser = duration)]
    pub(super) time_limit: Option<Duration>,
    /// A stage that takes longer has failed, and goes on from its checkpoint, e.g. 2h.
    #[arg(long, value_name = "T", value_parser = some_duration)]
    pub(super) stage_timeout: Option<Duration>,
    /// Stop once N more runs have failed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) max_failures: Option<i64>,
    /// Try failed stages once more.
    #[arg(long)]
    pub(super) retry_failed: bool,
    /// Take the place of a sweep of the same name that another file made.
    #[arg(long)]
    pub(super) replace: bool,
    /// Print the plan and what is done already; start nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write no report at the end.
    #[arg(long)]
    pub(super) no_report: bool,
}
