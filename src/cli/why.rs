//! `didact why`: why a run, trial or stage is as it is, and how to make it again.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, table};
use crate::plan::short_key;
use crate::store::{Access, AttemptRow, Explanation, RunFacts, StageExplanation, StageState, Store};

/// Arguments of `didact why`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyArgs {
    /// First digits of a run's, trial's or stage's key, as `status` prints them.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &WhyArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let named = store.find(&args.id).await?;
    match store.explain(&named).await? {
        None => {
            return Err(Failure::new(
                Exit::Usage,
                format!("`{0}` is a sweep: `didact status {0}` tells how it stands", args.id),
            ));
        }
        Some(Explanation::Run(run, stages)) => explain_run(&run, &stages)?,
        Some(Explanation::Stage(stage, needs, attempts, runs)) => explain_stage(&stage, &needs, &attempts, &runs)?,
        Some(Explanation::Trial(id, runs)) => {
            print(&format!("trial {} in {} run(s)", short_key(&id), runs.len()))?;
            print(&runs_table(&runs))?;
            if let Some(run) = runs.first() {
                print(&format!("run it alone: {}", command(run, &id)))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The command that makes a run or trial again.
fn command(run: &RunFacts, id: &str) -> String {
    let file = run.file.as_ref().map(|file| format!(" {file}")).unwrap_or_default();
    format!("didact sweep{file} --only {}", short_key(id))
}

fn explain_run(run: &RunFacts, stages: &[StageExplanation]) -> Result<(), Failure> {
    let RunFacts { category, variant, seed, state, sweep, .. } = run;
    print(&format!("run {} of sweep {sweep} ({category} · {variant} · seed {seed}) is {state}", short_key(&run.id)))?;
    print(&reason(run, stages))?;
    print(&stages_table(stages))?;
    print(&format!("run it alone: {}", command(run, &run.id)))
}

/// Why the run is not done, in a sentence.
fn reason(run: &RunFacts, stages: &[StageExplanation]) -> String {
    let first = |wanted: fn(&StageState) -> bool| stages.iter().find(|stage| wanted(&stage.state));
    if let Some(reason) = &run.reason {
        return match run.state.as_str() {
            "failed" => format!("{reason}; `--retry-failed` tries once more"),
            "cancelled" => format!("{reason}; starting the sweep again revives it"),
            _ => reason.clone(),
        };
    }
    match run.state.as_str() {
        "done" => "every stage is done".to_owned(),
        "running" => match first(|state| matches!(state, StageState::Running { .. })) {
            Some(stage) => format!("a worker is at {} ({})", stage.kind, stage.state.remark()),
            None => "its next stage is about to be claimed".to_owned(),
        },
        _ => {
            let next = first(|state| matches!(state, StageState::Pending { .. } | StageState::Running { .. }));
            let resting = next.map(|stage| stage.state.remark()).filter(|remark| !remark.is_empty());
            let queue = match run.before {
                0 => "it is the next one: a worker takes it as soon as one is free (is a sweep or worker running?)"
                    .to_owned(),
                before => format!("{before} run(s) of the sweep come before it"),
            };
            resting.map_or(queue.clone(), |remark| format!("{queue}; {remark}"))
        }
    }
}

fn stages_table(stages: &[StageExplanation]) -> String {
    let rows: Vec<Vec<String>> = stages
        .iter()
        .map(|stage| {
            vec![
                short_key(&stage.id).to_owned(),
                stage.kind.clone(),
                stage.state.name().to_owned(),
                stage.attempts.to_string(),
                stage.shared_by.to_string(),
                stage.state.remark(),
            ]
        })
        .collect();
    table(&["stage", "kind", "state", "attempts", "runs that share it", "remark"], &rows)
}

fn runs_table(runs: &[RunFacts]) -> String {
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            vec![
                short_key(&run.id).to_owned(),
                run.sweep.clone(),
                run.category.clone(),
                run.variant.clone(),
                run.seed.to_string(),
                run.state.clone(),
                run.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["run", "sweep", "category", "variant", "seed", "state", "reason"], &rows)
}

fn explain_stage(
    stage: &StageExplanation,
    needs: &[StageExplanation],
    attempts: &[AttemptRow],
    runs: &[RunFacts],
) -> Result<(), Failure> {
    let remark = Some(stage.state.remark()).filter(|remark| !remark.is_empty());
    let remark = remark.map(|remark| format!(": {remark}")).unwrap_or_default();
    print(&format!("stage {} ({}) is {}{remark}", short_key(&stage.id), stage.kind, stage.state.name()))?;
    if !needs.is_empty() {
        print(&format!("it needs\n{}", stages_table(needs)))?;
    }
    let rows: Vec<Vec<String>> = attempts
        .iter()
        .map(|attempt| {
            let class = attempt.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
            vec![
                attempt.number.to_string(),
                attempt.state.clone(),
                attempt.started_at.clone(),
                attempt.seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default(),
                format!("{} on {}", attempt.pid, attempt.host),
                attempt.log.clone().unwrap_or_default(),
                format!("{class}{}", attempt.reason.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    print(&table(&["attempt", "state", "began", "took", "process", "log", "reason"], &rows))?;
    print(&format!("shared by {} run(s)\n{}", stage.shared_by, runs_table(runs)))?;
    match runs.first() {
        Some(run) => print(&format!("run it alone: {}", command(run, &stage.id))),
        None => print("no sweep wants it any more: `didact gc` removes its artifact"),
    }
}
