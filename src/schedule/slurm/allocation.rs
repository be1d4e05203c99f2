//! The job in which this process runs.

/// Returns whether this process runs in a job of Slurm.
pub fn in_job() -> bool {
    std::env::var_os("SLURM_JOB_ID").is_some()
}

/// Returns the id of the job in which this process runs: `ARRAY_TASK`, or its number.
pub fn job_id() -> Option<String> {
    let variable = |name| std::env::var(name).ok();
    match (variable("SLURM_ARRAY_JOB_ID"), variable("SLURM_ARRAY_TASK_ID")) {
        (Some(array), Some(task)) => Some(format!("{array}_{task}")),
        _ => variable("SLURM_JOB_ID"),
    }
}
