//! `didact sweep`: plan, run, report.

use std::path::PathBuf;
use std::time::Duration;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, table};
use super::report;
use super::signals::listen_for_signals;
use crate::plan::{Plan, StageKind, Sweep, build};
use crate::schedule::{LaunchOptions, Stop, SweepEnd, launch};
use crate::spec::load;
use crate::store::{Access, Store};

/// Arguments of `didact sweep`.
#[derive(Debug, clap::Args)]
pub(super) struct SweepArgs {
    /// The sweep file; without one, the embedded demo.
    file: Option<PathBuf>,
    /// Worker processes; the cores are divided among them.
    #[arg(long, short, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Where stages run: auto or cpu (this build has no CUDA).
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
    /// Override a setting, e.g. --set joint.epochs=5.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    overrides: Vec<(String, String)>,
    /// Take the first N trials only (a total, not "more").
    #[arg(long, value_name = "N")]
    max_trials: Option<usize>,
    /// Stop after this time, e.g. 90s, 30m, 8h (exit code 130 if runs are left; the same command continues).
    #[arg(long, value_name = "T", value_parser = duration)]
    time_limit: Option<Duration>,
    /// Try failed stages once more.
    #[arg(long)]
    retry_failed: bool,
    /// Print the plan and what is done already; start nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write no report at the end.
    #[arg(long)]
    no_report: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| "expected KEY=VALUE, e.g. joint.epochs=5".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number with s, m or h, e.g. 90m".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1.0,
        Some('m') => 60.0,
        Some('h') => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

/// Runs the verb.
#[expect(clippy::print_stderr, reason = "what is going on goes to standard error")]
pub(super) async fn run(args: &SweepArgs, global: &Global) -> Result<Exit, Failure> {
    match args.device.as_str() {
        "auto" | "cpu" => {}
        cuda if cuda.starts_with("cuda") => {
            return Err(Failure::new(
                Exit::Usage,
                "--device cuda: this build runs on the CPU only; use --device cpu or auto",
            ));
        }
        other => return Err(Failure::new(Exit::Usage, format!("--device {other}: expected auto or cpu"))),
    }
    let (mut sweep, _space, source) = load(args.file.as_deref(), &args.overrides)?;
    if let Some(limit) = args.max_trials {
        sweep.trials.truncate(limit);
    }
    let plan = build(&sweep)?;
    if args.dry_run {
        return dry_run(&sweep, &plan, global).await;
    }
    let store = Store::open(&global.store, Access::Write).await?;
    let artifacts = global.artifacts();
    let outcome = store.write_plan(&sweep, &source.text, &plan, &artifacts).await?;
    if args.retry_failed {
        store.retry_failed(&outcome.sweep).await?;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = usize::from(args.jobs);
    let threads = (cores / jobs).max(1);
    eprintln!(
        "sweep {}: {} trials, {} runs, {} stages ({} done before); {jobs} worker(s) with {threads} thread(s)",
        sweep.name,
        plan.trials.len(),
        outcome.runs,
        outcome.stages,
        outcome.cached
    );
    let stop = Stop::default();
    listen_for_signals(stop.clone());
    let options = LaunchOptions {
        sweep: outcome.sweep.clone(),
        jobs,
        threads,
        store: global.store.clone(),
        log: global.log.clone(),
        artifacts: artifacts.root().to_owned(),
        stages: (outcome.cached as u64, outcome.stages as u64),
        time_limit: args.time_limit,
    };
    let end = launch(&store, &options, &stop).await?;
    store.settle_evaluations(&plan, &artifacts).await?;
    let status = store.status(&outcome.sweep, &sweep.name).await?;
    let failed = status.runs_in("failed");
    let done = status.runs_in("done");
    eprintln!("sweep {}: {done} of {} runs done, {failed} failed", sweep.name, status.total_runs());
    for failure in &status.failures {
        let reason = failure.reason.as_deref().unwrap_or("unknown");
        eprintln!("  failed: {} · {} · seed {}: {reason}", failure.category, failure.variant, failure.seed);
    }
    let unfinished = status.total_runs() > done + failed;
    if unfinished && end == SweepEnd::Interrupted {
        eprintln!("interrupted; the same command continues");
        return Ok(Exit::Interrupted);
    }
    if !args.no_report {
        let index = report::write(&store, &outcome.sweep, &sweep.name, None, &artifacts).await?;
        print(&format!("report: {}", index.display()))?;
    }
    if unfinished && end == SweepEnd::TimeLimit {
        eprintln!("{} run(s) are left; the same command continues", status.total_runs() - done - failed);
        return Ok(Exit::Interrupted);
    }
    Ok(if unfinished || failed > 0 { Exit::RunsFailed } else { Exit::Done })
}

async fn dry_run(sweep: &Sweep, plan: &Plan, global: &Global) -> Result<Exit, Failure> {
    let done = match Store::open(&global.store, Access::Read).await {
        Ok(store) => store.count_done(plan).await?,
        Err(crate::store::StoreError::Absent { .. }) => 0,
        Err(error) => return Err(error.into()),
    };
    let count = |kind: StageKind| plan.stages.iter().filter(|stage| stage.job.kind() == kind).count();
    let wanted: usize = plan.runs.iter().map(|run| run.stages.len()).sum();
    print(&format!(
        "sweep {}: {} trials, {} runs, {} stages ({} done already; {wanted} without sharing)",
        sweep.name,
        plan.trials.len(),
        plan.runs.len(),
        plan.stages.len(),
        done
    ))?;
    let rows: Vec<Vec<String>> =
        StageKind::ALL.iter().map(|&kind| vec![kind.name().to_owned(), count(kind).to_string()]).collect();
    print(&table(&["stage", "count"], &rows))?;
    let rows: Vec<Vec<String>> = sweep
        .trials
        .iter()
        .map(|trial| {
            let axes = trial.axes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            vec![trial.variant.clone(), axes.join(", ")]
        })
        .collect();
    print(&table(&["variant", "settings"], &rows))?;
    Ok(Exit::Done)
}
