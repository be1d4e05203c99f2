//! Calls the programs of Slurm.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

use serde::Serialize;

use crate::cause::one_line;

/// Why Slurm did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// A program of Slurm cannot be started.
    #[error(
        "cannot run {program}: {source}; run this command on a machine of the cluster, where Slurm's programs are in the PATH"
    )]
    NotFound {
        /// Name of the program.
        program: &'static str,
        /// Cause of the failure.
        source: io::Error,
    },
    /// A program of Slurm reported an error.
    #[error("{program} failed: {message}")]
    Failed {
        /// Name of the program.
        program: &'static str,
        /// What it printed to standard error.
        message: String,
    },
}

/// A task of an array, as Slurm sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlurmTask {
    /// Id of the task: `ARRAY_TASK`; of pending tasks together: `ARRAY_[2-3]`.
    pub job: String,
    /// State: `RUNNING`, `PENDING`, ….
    pub state: String,
    /// Its node; empty if it has none.
    pub node: String,
    /// Why it is pending.
    pub reason: String,
}

/// States of jobs that have ended and will not run again.
pub(super) const FINAL: [&str; 11] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "SPECIAL_EXIT",
    "TIMEOUT",
];

/// Submits a script with further options, and returns the number of the array.
///
/// # Errors
/// Slurm is missing or refuses the script.
pub fn submit(script: &Path, store: &str, options: &[String]) -> Result<String, SlurmError> {
    let mut command = Command::new("sbatch");
    // The address may have a password, so it is passed in the environment, which sbatch gives to the jobs.
    command.arg("--parsable").arg("--export=ALL").args(options).arg(script).env("DIDACT_STORE", store);
    // If this process runs in a job itself, the properties of that job are not those of the new one.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SLURM_") && name != "SLURM_CONF" {
            command.env_remove(name);
        }
    }
    let output = run("sbatch", &mut command)?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // On a federation of clusters: NUMBER;CLUSTER.
    Ok(printed.split(';').next().unwrap_or(&printed).to_owned())
}

/// Returns the tasks of an array that have not ended.
///
/// # Errors
/// Slurm is missing or does not answer.
pub fn tasks(array: &str, name: &str) -> Result<Vec<SlurmTask>, SlurmError> {
    let mut command = Command::new("squeue");
    // By default, squeue leaves out jobs that are just being requeued.
    command.args(["--noheader", "--states=all", "--format=%i|%T|%N|%r", "--jobs", array, "--name", name]);
    match run("squeue", &mut command) {
        Ok(output) => {
            let tasks = String::from_utf8_lossy(&output.stdout).lines().filter_map(task).collect::<Vec<_>>();
            Ok(tasks.into_iter().filter(|task| !FINAL.contains(&task.state.as_str())).collect())
        }
        // Slurm forgets jobs some time after their end.
        Err(SlurmError::Failed { message, .. }) if message.contains("Invalid job id") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Cancels all tasks of an array.
///
/// # Errors
/// Slurm is missing or does not answer.
pub fn cancel(array: &str, name: &str) -> Result<(), SlurmError> {
    // Slurm may have used the number again: the name must be right, too.
    match run("scancel", Command::new("scancel").args(["--name", name, array])) {
        Err(SlurmError::Failed { message, .. }) if message.contains("Invalid job id") => Ok(()),
        outcome => outcome.map(drop),
    }
}

fn run(program: &'static str, command: &mut Command) -> Result<Output, SlurmError> {
    let output = command.output().map_err(|source| SlurmError::NotFound { program, source })?;
    match output.status.success() {
        true => Ok(output),
        false => Err(SlurmError::Failed { program, message: one_line(String::from_utf8_lossy(&output.stderr).trim()) }),
    }
}

/// Reads a line of squeue.
fn task(line: &str) -> Option<SlurmTask> {
    let mut fields = line.split('|').map(|field| field.trim().to_owned());
    let mut next = || fields.next();
    let (job, state, node) = (next()?, next()?, next()?);
    let reason = next()?;
    Some(SlurmTask { job, state, node, reason: if reason == "None" { String::new() } else { reason } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_are_read() {
        let read = |job: &str, state: &str, node: &str, reason: &str| {
            Some(SlurmTask { job: job.into(), state: state.into(), node: node.into(), reason: reason.into() })
        };
        assert_eq!(task("12_0|RUNNING|node-1|None"), read("12_0", "RUNNING", "node-1", ""));
        assert_eq!(
            task("12_[1-3%2]|PENDING||JobArrayTaskLimit"),
            read("12_[1-3%2]", "PENDING", "", "JobArrayTaskLimit")
        );
        assert_eq!(task("slurm_load_jobs error"), None);
    }
}
