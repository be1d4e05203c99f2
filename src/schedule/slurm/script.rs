//! The script of the jobs: each job runs one worker, and requeues itself while work is left.

use std::path::PathBuf;

use super::job::{Job, array_name, option, quoted, quoted_arguments, quoted_path};
use crate::exit::Exit;

/// Number of workers that a job starts if they die.
const TRIES: usize = 5;

/// What the script of an array contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobScript {
    /// What all jobs have.
    pub job: Job,
    /// Number of workers.
    pub workers: u32,
    /// Number of jobs that may run at the same time; `None` for all.
    pub at_once: Option<u32>,
    /// Value of `--gres`.
    pub gres: Option<String>,
    /// Further options of sbatch.
    pub options: Vec<String>,
    /// Folder of each node for copies of artifacts; `None` for the temporary folder of the job.
    pub scratch: Option<PathBuf>,
    /// Further arguments of the workers.
    pub arguments: Vec<String>,
}

impl JobScript {
    /// Returns the tasks of the array, as sbatch takes them.
    pub fn tasks(&self) -> String {
        let limit = self.at_once.map(|limit| format!("%{limit}")).unwrap_or_default();
        format!("0-{}{limit}", self.workers.saturating_sub(1))
    }

    /// Returns the path of the script.
    pub fn path(&self) -> PathBuf {
        self.logs().join(format!("{}.sh", array_name(&self.job.sweep)))
    }

    /// Returns the folder of the script and of the jobs' output.
    fn logs(&self) -> PathBuf {
        self.job.files.join("slurm")
    }

    /// Returns the text of the script. It contains no address of the store, which may have a password.
    pub fn text(&self) -> String {
        let array = Some(format!("--array={}", self.tasks()));
        let own = array.into_iter().chain(option("gres", self.gres.as_ref())).chain(self.options.iter().cloned());
        let header = self.job.header(&array_name(&self.job.sweep), &self.logs().join("%A_%a.log"), own);
        format!(
            r#"{header}
# Each job of this array runs one worker of the sweep. The store's address is in DIDACT_STORE. The worker's standard output is for programs.

# Slurm signals this shell, which passes the signal on. After USR1, the time limit is near.
# After TERM, the job was cancelled or preempted: Slurm itself requeues a preempted job.
worker=
ended_by_slurm=
trap 'test -z "$worker" || kill -USR1 "$worker"' USR1
trap 'ended_by_slurm=yes; test -z "$worker" || kill -TERM "$worker"' TERM

# Of one task, SLURM_JOB_ID is the number of the whole array.
job=$SLURM_JOB_ID
[ -z "${{SLURM_ARRAY_JOB_ID:-}}" ] || job=${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID
end=${{SLURM_JOB_END_TIME:-}}
if [ -z "$end" ]; then
    end=$(scontrol show job "$job" 2>/dev/null | sed -n 's/.* EndTime=\([^ ]*\).*/\1/p' | head -n 1)
    end=$(date -d "${{end:-unknown}}" +%s 2>/dev/null)
fi
threads=${{SLURM_CPUS_PER_TASK:-${{SLURM_CPUS_ON_NODE:-}}}}
scratch={scratch}
device=cpu
case ${{CUDA_VISIBLE_DEVICES:-}} in [0-9A-Z]*) device=cuda:0 ;; esac

for try in $(seq {TRIES}); do
    {executable} worker --sweep {sweep} --artifacts {artifacts} --device "$device" --script {script} --log info \
        ${{scratch:+--scratch "$scratch"}} \
        ${{threads:+--threads "$threads"}} ${{end:+--until "$((end - {grace}))"}}{arguments} >/dev/null &
    worker=$!
    # A signal ends `wait`, not the worker.
    wait "$worker"
    code=$?
    while kill -0 "$worker" 2>/dev/null; do
        wait "$worker"
        code=$?
    done
    worker=
    case $code in
    {interrupted})
        # Work is left.
        if [ -z "$ended_by_slurm" ]; then
            scontrol requeue "$job" || echo "cannot requeue this job: submit the sweep again" >&2
        fi
        exit {interrupted}
        ;;
    [0-4]) exit "$code" ;;
    esac
    [ -z "$ended_by_slurm" ] || exit "$code"
    echo "the worker ended with code $code; starting another one" >&2
    sleep "$try"
done
exit "$code"
"#,
            executable = quoted_path(&self.job.executable),
            sweep = quoted(&self.job.sweep),
            artifacts = quoted_path(&self.job.artifacts),
            script = quoted_path(&self.path()),
            scratch = self.scratch.as_ref().map_or("${SLURM_TMPDIR:-${TMPDIR:-}}".to_owned(), |path| quoted_path(path)),
            grace = self.job.grace.as_secs(),
            arguments = quoted_arguments(&self.arguments),
            interrupted = Exit::Interrupted.code(),
        )
    }
}
