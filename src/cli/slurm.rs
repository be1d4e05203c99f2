//! `didact slurm`: plans a sweep and submits an array of workers to Slurm.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, table};
use super::parse::{bytes, key_value, positive_duration};
use super::steering::Steering;
use super::takeover::{plan_source, take_over};
use crate::cause::{Context, one_line};
use crate::config::Sweep;
use crate::exit::Exit;
use crate::schedule::FIRST_CHECKPOINT;
use crate::schedule::reap;
use crate::schedule::slurm::{self, FORMS, Job, JobScript, ServerScript, SlurmTask, time_limit};
use crate::search::load_at_most;
use crate::store::{Access, Artifacts, SERVER_IN_FILE, SlurmArray, Store, Wanted, is_server};
use crate::terminal::say;
use crate::text::{counted, rough_duration};

/// Arguments of `didact slurm`.
#[derive(Debug, clap::Args)]
pub(super) struct SlurmArgs {
    /// Sweep file [default: the embedded demo].
    file: Option<PathBuf>,
    /// Number of workers; each is a job of the array.
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    workers: u32,
    /// Number of jobs that may run at the same time [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    at_once: Option<u32>,
    /// Partition of the jobs.
    #[arg(long, value_name = "P")]
    partition: Option<String>,
    /// Resources of each job, e.g. gpu:1; a worker uses the first GPU of its job.
    #[arg(long, value_name = "LIST")]
    gres: Option<String>,
    /// Time limit of a job, as sbatch takes it: 240 (minutes), 4:00:00 or 1-12:00:00. A job that reaches it goes on in the next one.
    #[arg(long, value_name = "T")]
    time: Option<String>,
    /// Time before the end of a job at which its worker writes a checkpoint and stops, e.g. 90s or 2m.
    #[arg(long, value_name = "T", default_value = "2m", value_parser = positive_duration)]
    grace: Duration,
    /// Another option of sbatch, e.g. --sbatch=--cpus-per-task=8; repeat it for more.
    #[arg(long = "sbatch", value_name = "OPTION", allow_hyphen_values = true)]
    options: Vec<String>,
    /// Folder of each node for copies of artifacts [default: the job's SLURM_TMPDIR or TMPDIR].
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Maximum time of a stage, e.g. 2h; a longer stage fails and is retried from its checkpoint.
    #[arg(long, value_name = "T", value_parser = positive_duration)]
    stage_timeout: Option<Duration>,
    /// Memory limit of a worker, e.g. 4G.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<u64>,
    /// Override a setting, e.g. --set joint.epochs=5.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    overrides: Vec<(String, String)>,
    /// Replace a sweep of the same name that came from another file.
    #[arg(long)]
    replace: bool,
    /// Start a PostgreSQL server in a job of its own, for people who have none. Its data is beside the artifacts.
    #[arg(long)]
    with_postgres: bool,
    /// Print the script of the jobs; plan and submit nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &SlurmArgs, global: &Global) -> Result<Exit, Failure> {
    let (sweep, space, source) = load_at_most(args.file.as_deref(), &args.overrides, None)?;
    refuse_learning(&sweep)?;
    refuse_short_jobs(args)?;
    if args.with_postgres {
        return submit_server(args, global, &sweep.name);
    }
    if !is_server(&global.store) {
        let message = format!(
            "--store {}: the jobs run on several machines, which cannot share a file; name a PostgreSQL server (--store \
             postgres://…), or let didact start one (--with-postgres)",
            global.store
        );
        return Err(Failure::usage(message));
    }
    let artifacts = global.artifacts()?;
    let script = script(args, job(args, &sweep.name, &artifacts)?);
    if args.dry_run {
        print(script.text().trim_end())?;
        return Ok(Exit::Done);
    }
    let name = sweep.name.clone();
    let mut steering = Steering::new(sweep, space, artifacts, args.workers as usize, None);
    steering.planner.open(&steering.sweep)?;
    steering.planner.notes().iter().for_each(|note| say(&one_line(note)));
    let store = Store::open(&global.store, Access::Write).await?;
    steering.artifacts = global.own_artifacts(&store).await?;
    reap(&store).await?;
    let mut source = plan_source(args.file.as_deref(), &args.overrides, args.replace, &steering.sweep, source.text);
    let (plan, outcome) = take_over(&mut steering, &store, &mut source).await?;
    if !store.has_open_stages(&Wanted { sweep: outcome.sweep.clone(), only: None }).await? {
        print(&format!("sweep {name}: nothing is left to compute; no job was submitted"))?;
        return Ok(Exit::Done);
    }
    let path = script.path();
    let job = submit(&path, &script.text(), &global.store)?;
    store.record_array(&outcome.sweep, &job, &slurm::array_name(&name), &script.tasks()).await?;
    tell_server(&global.store, &job)?;
    print(&format!(
        "sweep {name}: {}, {}, {} ({} done before); submitted array {job} with {}\nscript: {}\n\
         `didact status {name}` shows its jobs, `didact cancel {name}` cancels them",
        counted(plan.trials.len(), "trial"),
        counted(outcome.runs, "run"),
        counted(outcome.stages, "stage"),
        outcome.cached,
        counted(args.workers, "worker"),
        path.display()
    ))?;
    Ok(Exit::Done)
}

/// Refuses a time limit that sbatch would not understand, or that leaves no time to compute.
fn refuse_short_jobs(args: &SlurmArgs) -> Result<(), Failure> {
    let Some(text) = &args.time else { return Ok(()) };
    let Some(limit) = time_limit(text) else {
        return Err(Failure::usage(format!("--time {text}: expected a form that sbatch takes: {FORMS}")));
    };
    match limit > args.grace + FIRST_CHECKPOINT {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "--time {text} is {} ({FORMS}): a worker stops {} before its end (--grace) and needs {} to its first checkpoint",
            rough_duration(limit),
            rough_duration(args.grace),
            rough_duration(FIRST_CHECKPOINT)
        ))),
    }
}

/// Refuses a search for which an array of workers is not enough.
fn refuse_learning(sweep: &Sweep) -> Result<(), Failure> {
    match sweep.search.strategy.learns() || sweep.search.pruner.is_some() || sweep.confirmation().is_some() {
        true => Err(Failure::usage(
            "this sweep adds or stops runs while it runs, which needs one process that lasts: run `didact sweep` in a job, or use the \
             strategy grid, random or sobol without a pruner, confirm_seeds and [decide]",
        )),
        false => Ok(()),
    }
}

/// Adds an array to the list of a server that this program has started. The server lasts until all of them have ended.
fn tell_server(store: &str, job: &str) -> Result<(), Failure> {
    let Some(home) = store.strip_prefix(SERVER_IN_FILE).and_then(|file| Path::new(file).parent()) else {
        return Ok(());
    };
    let path = home.join("arrays");
    let add =
        || std::fs::OpenOptions::new().append(true).create(true).open(&path)?.write_all(format!("{job}\n").as_bytes());
    Ok(add().map_err(Context::writing(&path))?)
}

/// Submits a job that starts a server and then submits the workers.
fn submit_server(args: &SlurmArgs, global: &Global, sweep: &str) -> Result<Exit, Failure> {
    if is_server(&global.store) || std::env::args().any(|argument| argument.starts_with("--store")) {
        let message = "--with-postgres starts a server of its own: leave out --store and DIDACT_STORE";
        return Err(Failure::usage(message));
    }
    let is_own = |argument: &String| ["--with-postgres", "--dry-run"].contains(&argument.as_str());
    let script = ServerScript {
        job: job(args, sweep, &global.artifacts()?)?,
        // The job runs this command again, with the server as its store.
        arguments: std::env::args().skip(1).filter(|argument| !is_own(argument)).collect(),
    };
    if args.dry_run {
        print(script.text().trim_end())?;
        return Ok(Exit::Done);
    }
    if script.home().join("url").exists() {
        return Err(Failure::usage(format!(
            "the server of this sweep is running: to add workers, leave out --with-postgres and add --store {}",
            script.store()
        )));
    }
    create_private_folder(&script.home())?;
    let job = submit(&script.path(), &script.text(), &script.store())?;
    print(&format!(
        "sweep {sweep}: submitted job {job}, which starts a PostgreSQL server, plans the sweep and submits {}\n\
         script and logs: {}\n\
         while it runs: export DIDACT_STORE={} DIDACT_ARTIFACTS={}\n\
         after its end: export DIDACT_STORE={} DIDACT_ARTIFACTS={3}",
        counted(args.workers, "worker"),
        script.home().display(),
        script.store(),
        script.job.artifacts.display(),
        script.copy().display(),
    ))?;
    Ok(Exit::Done)
}

/// Creates a folder that only this user can read: it will contain the server's password.
fn create_private_folder(path: &Path) -> Result<(), Failure> {
    let create = || -> std::io::Result<()> {
        std::fs::create_dir_all(path)?;
        #[cfg(unix)]
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(())
    };
    Ok(create().map_err(Context::writing(path))?)
}

/// Writes a script and submits it; returns the number of the job.
fn submit(path: &Path, text: &str, store: &str) -> Result<String, Failure> {
    let write = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)
    };
    write().map_err(Context::writing(path))?;
    slurm::submit(path, store, &[]).map_err(|error| {
        Failure::Machine(Context::new("no job was submitted; run the command again".to_owned(), error).into())
    })
}

/// Folder for scripts and logs of jobs whose artifacts are in an object store.
const JOB_FILES: &str = "didact.jobs";

fn job(args: &SlurmArgs, sweep: &str, artifacts: &Artifacts) -> Result<Job, Failure> {
    let machine = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| Failure::Machine(Context::new(what, error).into())
    };
    let folder = std::env::current_dir().map_err(machine("cannot find the current folder"))?;
    let (artifacts, files) = match artifacts.are_remote() {
        true => (artifacts.place().to_owned(), folder.join(JOB_FILES)),
        false => {
            let root = std::path::absolute(artifacts.root()).map_err(machine("cannot find the artifacts folder"))?;
            (root.clone(), root)
        }
    };
    Ok(Job {
        sweep: sweep.to_owned(),
        partition: args.partition.clone(),
        time: args.time.clone(),
        grace: args.grace,
        executable: std::env::current_exe().map_err(machine("cannot find this program"))?,
        artifacts,
        files,
        folder,
    })
}

fn script(args: &SlurmArgs, job: Job) -> JobScript {
    let seconds = |flag: &str, time: Duration| [flag.to_owned(), format!("{}s", time.as_secs())];
    JobScript {
        job,
        workers: args.workers,
        at_once: args.at_once,
        gres: args.gres.clone(),
        options: args.options.clone(),
        scratch: args.scratch.clone(),
        arguments: args
            .stage_timeout
            .iter()
            .flat_map(|time| seconds("--stage-timeout", *time))
            .chain(args.memory.iter().flat_map(|bytes| ["--memory".to_owned(), bytes.to_string()]))
            .collect(),
    }
}

/// An array of jobs, with its tasks that have not ended.
#[derive(Debug, Serialize)]
pub(super) struct ArrayStatus {
    #[serde(flatten)]
    array: SlurmArray,
    /// Its tasks; `None` if Slurm cannot be asked here.
    active: Option<Vec<SlurmTask>>,
    /// Why Slurm cannot be asked.
    error: Option<String>,
}

/// Asks Slurm for the jobs of a sweep.
pub(super) async fn arrays(store: &Store, sweep: &str) -> Result<Vec<ArrayStatus>, Failure> {
    let of_array = |array: SlurmArray| match slurm::tasks(&array.job, &array.name) {
        Ok(active) => ArrayStatus { array, active: Some(active), error: None },
        Err(error) => ArrayStatus { array, active: None, error: Some(error.to_string()) },
    };
    Ok(store.slurm_arrays(sweep).await?.into_iter().map(of_array).collect())
}

/// Formats the jobs of a sweep; `None` if there are none.
pub(super) fn arrays_table(arrays: &[ArrayStatus]) -> Option<String> {
    let rows: Vec<Vec<String>> = arrays.iter().flat_map(array_rows).collect();
    (!rows.is_empty()).then(|| table(&["Slurm job", "state", "node", "reason"], &rows))
}

fn array_rows(array: &ArrayStatus) -> Vec<Vec<String>> {
    let line =
        |state: &str, reason: &str| vec![array.array.job.clone(), state.to_owned(), String::new(), reason.to_owned()];
    match (&array.active, &array.error) {
        (Some(active), _) if active.is_empty() => {
            vec![line("ended", &format!("output: slurm/{}_*.log beside the artifacts", array.array.job))]
        }
        (Some(active), _) => active
            .iter()
            .map(|task| vec![task.job.clone(), task.state.to_lowercase(), task.node.clone(), task.reason.clone()])
            .collect(),
        (None, error) => vec![line("unknown", error.as_deref().unwrap_or_default())],
    }
}

/// Cancels the jobs of a sweep, and says what was done.
pub(super) async fn cancel_arrays(store: &Store, sweep: &str) -> Result<(), Failure> {
    for array in store.slurm_arrays(sweep).await? {
        if slurm::tasks(&array.job, &array.name).is_ok_and(|tasks| tasks.is_empty()) {
            continue;
        }
        match slurm::cancel(&array.job, &array.name) {
            Ok(()) => print(&format!("Slurm array {}: its jobs are cancelled", array.job))?,
            Err(error) => say(&format!("Slurm array {}: {error}; its workers end when they find no work", array.job)),
        }
    }
    Ok(())
}
