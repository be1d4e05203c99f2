//! Slurm: arrays of jobs in which workers run. Slurm starts, stops and requeues them; what they compute is in the store.

mod allocation;
mod commands;
mod script;
mod server;

pub use allocation::{in_job, job_id};
pub use commands::{SlurmError, SlurmTask, cancel, submit, tasks};
pub use script::{JobScript, array_name};
pub use server::ServerScript;
