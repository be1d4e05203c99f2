//! Slurm: arrays of jobs in which workers run. Slurm starts, stops and requeues them; what they compute is in the store.

mod allocation;
mod commands;
mod job;
mod script;
mod server;
mod time;

pub use allocation::{in_job, job_id};
pub use commands::{SlurmError, SlurmTask, cancel, submit, tasks};
pub use job::{Job, array_name};
pub use script::JobScript;
pub use server::ServerScript;
pub use time::{FORMS, time_limit};
