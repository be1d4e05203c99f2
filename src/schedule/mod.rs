//! Workers: how they claim stages, run them, retry them and report progress.

mod attempt;
mod clock;
mod deadline;
mod device;
mod device_error;
mod launch;
mod log;
mod memory;
mod message;
mod observer;
mod patience;
mod pause;
mod priority;
mod process;
mod progress;
mod reaper;
mod slot;
pub mod slurm;
mod steer;
mod supervise;
mod worker;

pub use deadline::FIRST_CHECKPOINT;
pub use device::{Device, DeviceChoice};
pub use device_error::DeviceError;
pub use launch::{LaunchOptions, SweepEnd, launch};
pub use log::AttemptLog;
pub use memory::{huge_pages_variable, keep_freed_memory, limit_memory, peak_rss, prefer_as_oom_victim};
pub use message::Message;
pub use patience::open_patiently;
#[cfg(unix)]
pub use pause::{attach, is_ignored};
pub use priority::yield_to_others;
pub use process::{LocalProcesses, Stop, host_name, process_started};
pub use reaper::reap;
pub use slot::{Jobs, Slot, Slots, cores, slots};
pub use steer::{Outlook, Steer};
pub use worker::{Execute, WorkerEnd, WorkerOptions, work};
