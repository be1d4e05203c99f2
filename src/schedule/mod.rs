//! Claims, workers, launcher, progress.

mod attempt;
mod clock;
mod device;
mod device_error;
mod launch;
mod log;
mod memory;
mod message;
mod observer;
mod pause;
mod process;
mod progress;
mod reaper;
mod slot;
mod steer;
mod supervise;
mod worker;

pub use device::{Device, DeviceChoice};
pub use device_error::{DeviceError, NoGpu};
pub use launch::{LaunchOptions, SweepEnd, launch};
pub use log::AttemptLog;
pub use memory::{keep_freed_memory, large_pages, limit_memory, offer_to_the_kernel, peak_rss};
pub use message::Message;
#[cfg(unix)]
pub use pause::{attach, is_ignored};
pub use process::{KnownProcesses, Stop, host_name, process_started};
pub(crate) use progress::spoken;
pub use reaper::reap;
pub use slot::{Jobs, Slot, Slots, cores, slots};
pub use steer::{Outlook, Steer};
pub use worker::{Execute, WorkerEnd, WorkerOptions, work};
