//! What the scripts of all jobs share: options of sbatch, paths, and quoting.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A job of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Name of the sweep.
    pub sweep: String,
    /// Value of `--partition`.
    pub partition: Option<String>,
    /// Value of `--time`.
    pub time: Option<String>,
    /// Time before the end of the job at which Slurm signals its script.
    pub grace: Duration,
    /// This program.
    pub executable: PathBuf,
    /// Place of the artifacts: an absolute path, or s3://BUCKET/PREFIX.
    pub artifacts: PathBuf,
    /// Folder for scripts and logs, which all machines share: that of the artifacts, unless they are in an object store.
    pub files: PathBuf,
    /// Folder in which the command was started.
    pub folder: PathBuf,
}

/// Returns the name of a sweep's jobs.
pub fn array_name(sweep: &str) -> String {
    format!("didact-{sweep}")
}

impl Job {
    /// Returns the first lines of the script: the options of sbatch, with some that only this script has.
    pub(super) fn header(&self, name: &str, output: &Path, own: impl IntoIterator<Item = String>) -> String {
        let common = [
            Some(format!("--job-name={name}")),
            option("partition", self.partition.as_ref()),
            option("time", self.time.as_ref()),
            Some(format!("--output={}", quoted_path(output))),
            Some(format!("--chdir={}", quoted_path(&self.folder))),
            Some("--requeue".to_owned()),
            Some("--open-mode=append".to_owned()),
            Some(format!("--signal=B:USR1@{}", self.grace.as_secs())),
        ];
        let options = common.into_iter().flatten().chain(own);
        std::iter::once("#!/bin/bash\n".to_owned()).chain(options.map(|option| format!("#SBATCH {option}\n"))).collect()
    }
}

/// Returns an option of sbatch, if it has a value.
pub(super) fn option(name: &str, value: Option<&String>) -> Option<String> {
    value.map(|value| format!("--{name}={value}"))
}

/// Returns arguments for the end of a command line, each after a space.
pub(super) fn quoted_arguments(arguments: &[String]) -> String {
    arguments.iter().map(|argument| format!(" {}", quoted(argument))).collect()
}

/// Quotes a path for the shell and for sbatch, if it needs it.
pub(super) fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// Quotes a text for the shell and for sbatch, if it needs it.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,%+@".contains(c);
    match text.chars().all(plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_for_the_shell() {
        assert_eq!(quoted("/shared/a-b_1.db"), "/shared/a-b_1.db");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
