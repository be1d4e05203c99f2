//! `didact why`: why a run, trial or stage is as it is, and how to make it again.

use crate::store::RunState;
use std::collections::BTreeMap;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, table};
use crate::analysis::{Remade, remake};
use crate::exit::Exit;
use crate::stages::short_key;
use crate::store::{Access, AttemptRow, Explanation, RunFacts, StageExplanation, StageState, Store};

/// Arguments of `didact why`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyArgs {
    /// A trial (T07, or SWEEP:T07), or the first digits of a run's, trial's or stage's key.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &WhyArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let named = store.find(&args.id).await?;
    match store.explain(&named).await? {
        None => {
            return Err(Failure::usage(format!("`{0}` is a sweep: `didact status {0}` tells how it stands", args.id)));
        }
        Some(Explanation::Run(run, stages)) => {
            explain_run(&run, &stages)?;
            tell_command(&store, &run, &[&run]).await?;
        }
        Some(Explanation::Stage(stage, needs, attempts, runs)) => {
            explain_stage(&stage, &needs, &attempts, &runs)?;
            match runs.first() {
                Some(run) => tell_command(&store, run, &[run]).await?,
                None => print("no sweep wants it any more: `didact gc` removes its artifact")?,
            }
        }
        Some(Explanation::Trial(runs)) => match runs.first() {
            Some(run) => {
                explain_trial(run, &runs)?;
                let of_sweep: Vec<&RunFacts> = runs.iter().filter(|other| other.sweep_id == run.sweep_id).collect();
                tell_command(&store, run, &of_sweep).await?;
            }
            None => print(&format!("{} is in no sweep any more; its results stay in the store", args.id))?,
        },
    }
    Ok(Exit::Done)
}

/// The command that makes runs of a trial of one sweep again.
async fn tell_command(store: &Store, first: &RunFacts, runs: &[&RunFacts]) -> Result<(), Failure> {
    let sweep = store.sweep_row(&first.sweep_id).await?;
    let mut categories: Vec<&str> = runs.iter().map(|run| run.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut seeds: Vec<i64> = runs.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let (number, baseline, point) = (first.number, first.baseline, first.point.as_str());
    let here = std::env::current_dir().ok().map(|folder| folder.display().to_string());
    let elsewhere = sweep.folder.as_ref().filter(|folder| here.as_ref() != Some(folder));
    let place = elsewhere.map(|folder| format!(" (to be run in {folder})")).unwrap_or_default();
    let command = remake(&sweep, &Remade { run: &first.id, number, baseline, point, categories, seeds });
    print(&format!("make it again, in a sweep of its own{place}:\n{command}"))
}

fn explain_trial(first: &RunFacts, runs: &[RunFacts]) -> Result<(), Failure> {
    print(&format!("trial {} ({}) in {} run(s)", short_key(&first.trial_id), first.trial, runs.len()))?;
    let searched: BTreeMap<String, serde_json::Value> = serde_json::from_str(&first.point).unwrap_or_default();
    let rows: Vec<Vec<String>> = searched.iter().map(|(name, value)| vec![name.clone(), value.to_string()]).collect();
    if !rows.is_empty() {
        let of = if first.baseline { "measured beside the trials of" } else { "setting" };
        print(&table(&[of, "value"], &rows))?;
    }
    print(&runs_table(runs))
}

fn explain_run(run: &RunFacts, stages: &[StageExplanation]) -> Result<(), Failure> {
    let RunFacts { category, trial, seed, state, sweep, .. } = run;
    print(&format!("run {} of sweep {sweep} ({category} · {trial} · seed {seed}) is {state}", short_key(&run.id)))?;
    print(&reason(run, stages))?;
    print(&stages_table(stages))
}

/// Why the run is not done, in a sentence.
fn reason(run: &RunFacts, stages: &[StageExplanation]) -> String {
    let first = |wanted: fn(&StageState) -> bool| stages.iter().find(|stage| wanted(&stage.state));
    if let Some(reason) = &run.reason {
        return match run.state {
            RunState::Failed => format!("{reason}; `--retry-failed` tries once more"),
            RunState::Cancelled => format!("{reason}; starting the sweep again revives it"),
            RunState::Pending | RunState::Running | RunState::Done | RunState::Pruned => reason.clone(),
        };
    }
    match run.state {
        RunState::Done => "every stage is done".to_owned(),
        RunState::Running => match first(|state| matches!(state, StageState::Running { .. })) {
            Some(stage) => format!("a worker is at {} ({})", stage.kind, stage.state.remark()),
            None => "its next stage is about to be claimed".to_owned(),
        },
        RunState::Pending | RunState::Failed | RunState::Pruned | RunState::Cancelled => {
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
                stage.kind.to_string(),
                stage.state.status().to_string(),
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
                run.trial.clone(),
                run.seed.to_string(),
                run.state.to_string(),
                run.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["run", "sweep", "category", "trial", "seed", "state", "reason"], &rows)
}

fn explain_stage(
    stage: &StageExplanation,
    needs: &[StageExplanation],
    attempts: &[AttemptRow],
    runs: &[RunFacts],
) -> Result<(), Failure> {
    let remark = Some(stage.state.remark()).filter(|remark| !remark.is_empty());
    let remark = remark.map(|remark| format!(": {remark}")).unwrap_or_default();
    print(&format!("stage {} ({}) is {}{remark}", short_key(&stage.id), stage.kind, stage.state.status()))?;
    if !needs.is_empty() {
        print(&format!("it needs\n{}", stages_table(needs)))?;
    }
    let rows: Vec<Vec<String>> = attempts
        .iter()
        .map(|attempt| {
            let class = attempt.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
            vec![
                attempt.number.to_string(),
                attempt.state.to_string(),
                attempt.started_at.clone(),
                attempt.seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default(),
                format!("{} on {}", attempt.pid, attempt.host),
                attempt.log.clone().unwrap_or_default(),
                format!("{class}{}", attempt.reason.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    print(&table(&["attempt", "state", "began", "took", "process", "log", "reason"], &rows))?;
    print(&format!("shared by {} run(s)\n{}", stage.shared_by, runs_table(runs)))
}
