//! `didact sweep`: plans, runs and reports a sweep.

use std::time::Duration;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, print_location, table};
use super::report;
use super::signals::listen_for_signals;
use super::steering::Steering;
use super::sweep_args::SweepArgs;
use super::takeover::{plan_source, take_over};
use super::worker::{CUDNN_NEEDS_A_GPU, TF32_NEEDS_A_GPU};
use crate::analysis::{Analysis, Ranking};
use crate::cause::one_line;
use crate::config::{Draws, Strategy};
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::plan::{Plan, Planner};
use crate::report::{RunPageChoice, TerminalSummary, terminal_summary};
use crate::schedule::{Device, DeviceChoice, Jobs, LaunchOptions, Slot, Slots, Stop, SweepEnd, launch, reap, slots};
use crate::search::load_at_most;
use crate::serve::failure_line;
use crate::stages::StageKind;
use crate::store::{Access, Named, PlanChange, PlanOutcome, RunState, Store, StoreError, SweepStatus, Wanted};
use crate::tensor::{Convolutions, Numerics, cuda};
use crate::terminal::say;
use crate::text::{agreeing, counted, rough_duration};

/// Maximum number of trials or runs that a message lists.
const MAX_LISTED: usize = 5;

/// Runs the verb.
pub(super) async fn run(args: &SweepArgs, global: &Global) -> Result<Exit, Failure> {
    let (sweep, space, source) = load_at_most(args.file.as_deref(), &args.overrides, args.max_trials)?;
    let mut planner = Planner::default();
    let jobs = match args.jobs {
        Some(jobs) => Jobs::Given(usize::from(jobs)),
        None => Jobs::Automatic { runs: sweep.runs_per_category(), bytes: planner.peak_bytes(&sweep)? },
    };
    let Slots { slots, note } = slots(&args.device, jobs, usize::from(args.workers_per_gpu))?;
    note.iter().for_each(|note| say(note));
    let tf32 = sweep.trials.iter().any(|trial| trial.trial.numerics == Numerics::Tf32);
    if tf32 && slots.iter().any(|slot| slot.device == Device::Cpu) && !args.dry_run {
        return Err(match args.device {
            DeviceChoice::Cpu | DeviceChoice::Cuda(_) => Failure::usage(TF32_NEEDS_A_GPU),
            DeviceChoice::Auto => Failure::Machine(TF32_NEEDS_A_GPU.into()),
        });
    }
    if args.convolutions == Convolutions::Cudnn && !args.dry_run {
        if slots.iter().any(|slot| slot.device == Device::Cpu) {
            return Err(Failure::usage(CUDNN_NEEDS_A_GPU));
        }
        cuda::cudnn_version().map_err(|reason| Failure::Machine(reason.into()))?;
    }
    let name = sweep.name.clone();
    let mut steering = Steering::new(sweep, space, global.artifacts()?, slots.len(), args.max_trials);
    steering.planner = planner;
    if args.dry_run {
        return dry_run(&mut steering, &slots, global).await;
    }
    steering.planner.open(&steering.sweep)?;
    if !args.no_report && args.only.is_none() {
        report::check_writable(&name)?;
    }
    steering.planner.notes().iter().for_each(|note| say(&one_line(note)));
    let store = Store::open(&global.store, Access::Write).await?;
    let artifacts = global.own_artifacts(&store).await?;
    steering.artifacts = artifacts.clone();
    reap(&store).await?;
    let mut source = plan_source(args.file.as_deref(), &args.overrides, args.replace, &steering.sweep, source.text);
    let (plan, outcome) = take_over(&mut steering, &store, &mut source).await?;
    if let Some(change) = &outcome.change {
        say(&format!(
            "{} ({} of {} done already)",
            change_text(change),
            outcome.cached,
            counted(outcome.stages, "stage")
        ));
        store.record_event(&outcome.sweep, "replanned", &change_text(change)).await?;
    }
    if !outcome.revived.is_empty() {
        say(&revived_text(&outcome.revived));
    }
    if args.retry_failed {
        store.retry_failed(&outcome.sweep).await?;
    }
    steering.compares = args.only.is_none();
    let wanted = Wanted { sweep: outcome.sweep.clone(), only: only_id(args, &store, &outcome.sweep, &name).await? };
    announce(&name, &plan, &outcome, &slots);
    // Free the memory of the plan, which may have 100,000 runs.
    drop(plan);
    let stop = Stop::default();
    listen_for_signals(&stop);
    let options = LaunchOptions {
        wanted,
        slots,
        store: global.store.clone(),
        log: global.log.to_string(),
        artifacts: artifacts.place().to_owned(),
        time_limit: args.time_limit,
        stage_timeout: args.stage_timeout,
        memory: args.memory,
        device_memory: args.device_memory,
        convolutions: args.convolutions,
        max_failures: args.max_failures,
        plan: source.plan,
    };
    let end = launch(&store, &options, &stop, &mut steering).await?;
    match &end {
        SweepEnd::Superseded(why) => return superseded(&store, &outcome, &name, why).await,
        SweepEnd::Refused(why) => return Err(Failure::Refused(why.clone())),
        _ => {}
    }
    store.settle_evaluations(&outcome.sweep, &artifacts).await?;
    let status = store.status(&outcome.sweep, &name).await?;
    conclude(args, global, &store, &outcome.sweep, &status, &end).await
}

/// Returns the id of the run or trial that `--only` names.
async fn only_id(args: &SweepArgs, store: &Store, sweep: &str, name: &str) -> Result<Option<String>, Failure> {
    let Some(id) = &args.only else { return Ok(None) };
    match store.find_in(sweep, name, id).await? {
        Named::Run(id) | Named::Trial(id) => Ok(Some(id)),
        Named::TrialOf { sweep: of, trial, .. } if of == sweep => Ok(Some(trial)),
        Named::TrialOf { name: of, .. } => {
            Err(Failure::usage(format!("--only {id}: expected a trial of {name}, not of {of}")))
        }
        Named::Stage(id) => Ok(store.first_run_of(&id).await?),
        Named::Sweep(_, name) => Err(Failure::usage(format!(
            "--only {name}: expected T07 or the key of a run, trial or stage, not a sweep's name"
        ))),
    }
}

fn announce(name: &str, plan: &Plan, outcome: &PlanOutcome, slots: &[Slot]) {
    let threads = slots.first().map_or(1, |slot| slot.threads);
    let mut devices: Vec<String> = slots.iter().map(|slot| slot.device.to_string()).collect();
    devices.dedup();
    say(&format!(
        "sweep {name}: {}, {}, {} ({} done before); {} with {} on {}",
        counted(plan.trials.len(), "trial"),
        counted(outcome.runs, "run"),
        counted(outcome.stages, "stage"),
        outcome.cached,
        counted(slots.len(), "worker"),
        counted(threads, "thread"),
        devices.join(", ")
    ));
}

/// Formats a change of the plan: "the sweep has changed: 2 trials added (…), 1 removed (…), 3 kept; …".
fn change_text(change: &PlanChange) -> String {
    let named = |trials: &[String]| if trials.is_empty() { String::new() } else { format!(" ({})", first_of(trials)) };
    format!(
        "the sweep has changed: {} added{}, {} removed{}, {} kept; removed trials stay in the store",
        counted(change.added.len(), "trial"),
        named(&change.added),
        change.removed.len(),
        named(&change.removed),
        change.kept
    )
}

/// Lists the first few of several things: "a; b; c; …".
fn first_of(things: &[String]) -> String {
    let more = (things.len() > MAX_LISTED).then_some("…");
    things.iter().take(MAX_LISTED).map(String::as_str).chain(more).collect::<Vec<_>>().join("; ")
}

/// Formats revived runs: "revived 2 cancelled runs: …".
fn revived_text(runs: &[String]) -> String {
    format!("revived {}: {}", counted(runs.len(), "cancelled run"), first_of(runs))
}

/// Reports that another process continues the sweep with another plan, so that this process ends.
async fn superseded(store: &Store, outcome: &PlanOutcome, name: &str, why: &str) -> Result<Exit, Failure> {
    let wanted = Wanted { sweep: outcome.sweep.clone(), only: None };
    let now = store.run_counts(&wanted).await?;
    say(&format!(
        "sweep {name}: {why}; this process planned {}, the sweep now has {} ({} done); this process ends",
        counted(outcome.runs, "run"),
        now.total,
        now.done
    ));
    Ok(Exit::Interrupted)
}

/// Says how the sweep ended, writes the report and returns the exit code.
async fn conclude(
    args: &SweepArgs,
    global: &Global,
    store: &Store,
    sweep: &str,
    status: &SweepStatus,
    end: &SweepEnd,
) -> Result<Exit, Failure> {
    let (done, failed, total) = (status.runs_in(RunState::Done), status.runs_in(RunState::Failed), status.total_runs());
    let given_up = status.runs_in(RunState::Pruned) + status.runs_in(RunState::Cancelled);
    let open = total - done - failed - given_up;
    let given_up_text = if given_up > 0 { format!(", {given_up} pruned or cancelled") } else { String::new() };
    say(&format!("sweep {}: {done} of {total} runs done, {failed} failed{given_up_text}", status.name));
    for failure in &status.failures {
        say(&format!("  failed: {}", failure_line(failure)));
    }
    if open > 0 && *end == SweepEnd::Interrupted {
        say("interrupted; the same command continues the sweep");
        return Ok(Exit::Interrupted);
    }
    if args.only.is_none() && (done > 0 || !args.no_report) {
        let artifacts = global.artifacts()?;
        let rows = report::rows(store, sweep, &[]).await?;
        let analysis = Analysis::of(&rows, &artifacts, Ranking::default());
        print_summary(&analysis);
        if !args.no_report {
            let folder = report::default_folder(&status.name);
            let place = OutputPlace { folder: &folder, foreign: ForeignFiles::Refuse };
            report::write(store, &rows, &analysis, place, RunPageChoice::Drawn, &artifacts)
                .await
                .map_err(|failure| report::with_report_hint(failure, &status.name))?;
        }
    }
    let say_left = || match open {
        0 => say(&format!("{end}; add --retry-failed to retry failed stages")),
        _ => say(&format!(
            "{end}: {} {} left; the same command continues the sweep",
            counted(open, "run"),
            agreeing(open, "is", "are")
        )),
    };
    match end {
        SweepEnd::TimeLimit if open > 0 => {
            say_left();
            return Ok(Exit::Interrupted);
        }
        SweepEnd::TooManyFailures(_) | SweepEnd::Broken => say_left(),
        SweepEnd::Complete
        | SweepEnd::Interrupted
        | SweepEnd::TimeLimit
        | SweepEnd::Superseded(_)
        | SweepEnd::Refused(_) => {}
    }
    let finished = args.only.is_some() || open == 0;
    // A time limit that is reached with the last run is not a failure.
    let stuck = matches!(end, SweepEnd::TooManyFailures(_) | SweepEnd::Broken);
    Ok(if failed == 0 && finished && !stuck { Exit::Done } else { Exit::RunsFailed })
}

/// Prints the answer and the best variants.
fn print_summary(analysis: &Analysis<'_>) {
    for TerminalSummary { answer, title, head, rows, left_out } in terminal_summary(analysis) {
        let more = (left_out > 0).then(|| format!("and {}", counted(left_out, "more variant")));
        let lines: Vec<String> =
            answer.into_iter().chain([title]).chain(narrow_tables(&head, &rows)).chain(more).collect();
        print_location(&lines.join("\n"));
    }
}

/// Number of metrics that stand side by side in a terminal.
const METRICS_IN_A_ROW: usize = 4;

/// Returns one table per few metrics. Each repeats the first column and the last one, so that no table is wider than a terminal.
fn narrow_tables(head: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let last = head.len() - 1;
    let metrics: Vec<usize> = (1..last).collect();
    let columns = metrics.chunks(METRICS_IN_A_ROW).map(|metrics| [&[0], metrics, &[last]].concat());
    columns
        .map(|columns| {
            let head: Vec<&str> = columns.iter().map(|column| head[*column].as_str()).collect();
            let row = |row: &Vec<String>| columns.iter().map(|column| row[*column].clone()).collect();
            table(&head, &rows.iter().map(row).collect::<Vec<Vec<String>>>())
        })
        .collect()
}

async fn dry_run(steering: &mut Steering, slots: &[Slot], global: &Global) -> Result<Exit, Failure> {
    let store = match Store::open(&global.store, Access::Read).await {
        Ok(store) => Some(store),
        Err(StoreError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let stored = match &store {
        Some(store) => store.planned_trials(&steering.sweep.name).await?.map(|(_, trials)| trials).unwrap_or_default(),
        None => Vec::new(),
    };
    let plan = &steering.plan(&stored)?;
    steering.planner.notes().iter().for_each(|note| say(&one_line(note)));
    let sweep = &steering.sweep;
    let (done, change, rates) = match &store {
        Some(store) => (store.done_stages(plan).await?, store.change(&sweep.name, plan).await?, store.rates().await?),
        None => Default::default(),
    };
    let wanted: usize = plan.runs.iter().map(|run| run.stages.len()).sum();
    print(&format!(
        "sweep {}: {}, {}, {} ({} done already; {wanted} without sharing)",
        sweep.name,
        counted(plan.trials.len(), "trial"),
        counted(plan.runs.len(), "run"),
        counted(plan.stages.len(), "stage"),
        done.len()
    ))?;
    if let Some(change) = change {
        print(&change_text(&change))?;
    }
    let threads: usize = slots.iter().map(|slot| slot.threads).sum();
    let time = |thread_seconds: Option<f64>| match thread_seconds {
        Some(seconds) => format!("about {}", rough_duration(Duration::from_secs_f64(seconds / threads as f64))),
        None => "unknown".to_owned(),
    };
    let open = |kind: Option<StageKind>| {
        let stages = plan.stages.iter().filter(move |stage| kind.is_none_or(|kind| stage.job.kind() == kind));
        stages.filter(|stage| !done.contains(stage.key.as_str()))
    };
    let count = |kind| plan.stages.iter().filter(|stage| stage.job.kind() == kind).count();
    let rows: Vec<Vec<String>> = StageKind::ALL
        .into_iter()
        .map(|kind| (kind, count(kind)))
        .filter(|&(_, count)| count > 0)
        .map(|(kind, count)| {
            let left = open(Some(kind)).count();
            let time = if left == 0 { "-".to_owned() } else { time(rates.of_stages(open(Some(kind)))) };
            vec![kind.name().to_owned(), count.to_string(), (count - left).to_string(), time]
        })
        .collect();
    print(&table(&["stage", "count", "done", "time left"], &rows))?;
    print(&match (open(None).next(), rates.of_stages(open(None))) {
        (None, _) => "nothing is left to do".to_owned(),
        (_, None) => "time left: unknown until a stage of each kind is done".to_owned(),
        (_, seconds) => format!("time left: {} with {}", time(seconds), counted(slots.len(), "worker")),
    })?;
    let rows: Vec<Vec<String>> = sweep
        .trials
        .iter()
        .map(|trial| {
            let axes = trial.axes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            vec![trial.variant.clone(), axes.join(", ")]
        })
        .collect();
    print(&table(&["variant", "settings"], &rows))?;
    if let Strategy::Tpe(Draws { trials, .. }) = sweep.search.strategy {
        print(&format!("the search adds trials as it learns, up to {trials} without the baseline"))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::narrow_tables;

    #[test]
    fn every_metric_is_in_one_table_with_the_variant_and_the_seeds() {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let head = text(&["variant", "a", "b", "c", "d", "e", "seeds"]);
        let tables = narrow_tables(&head, &[text(&["ST-FPM", "1", "2", "3", "4", "5", "6"])]);
        insta::assert_snapshot!(tables.join("\n"), @r"
        variant  a  b  c  d  seeds
        ST-FPM   1  2  3  4  6
        variant  e  seeds
        ST-FPM   5  6
        ");
        assert_eq!(narrow_tables(&text(&["variant", "a", "seeds"]), &[]).len(), 1);
    }
}
