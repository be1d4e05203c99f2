//! Claims, workers, launcher, progress.

mod execute;
mod launch;
mod message;
mod observer;
mod process;
mod progress;
mod worker;

pub use execute::execute;
pub use launch::{LaunchOptions, SweepEnd, launch};
pub use message::Message;
pub use process::{Stop, host_name, peak_rss, process_started};
pub use worker::{WorkerOptions, work};
