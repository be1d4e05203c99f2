//! `didact why`: explains the state of a run, trial or stage, and how to repeat it.

use std::collections::BTreeMap;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, table};
use crate::analysis::{RepeatedRuns, repeat_command, tuned_of};
use crate::exit::Exit;
use crate::stages::short_key;
use crate::store::{Access, AttemptRow, Explanation, RunFacts, RunState, StageExplanation, StageState, Store};
use crate::text::{agreeing, counted, signed};

/// Arguments of `didact why`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyArgs {
    /// Trial (T07 or SWEEP:T07), or first digits of the key of a run, trial or stage.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &WhyArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let named = store.find(&args.id).await?;
    match store.explain(&named).await? {
        None => {
            return Err(Failure::usage(format!(
                "`{0}` is a sweep: run `didact status {0}` to see its progress",
                args.id
            )));
        }
        Some(Explanation::Run(run, stages)) => {
            explain_run(&run, &stages)?;
            print_command(&store, &run, &[&run]).await?;
        }
        Some(Explanation::Stage(stage, needs, attempts, runs)) => {
            explain_stage(&stage, &needs, &attempts, &runs)?;
            match runs.first() {
                Some(run) => print_command(&store, run, &[run]).await?,
                None => print("no sweep needs it any more: run `didact gc` to remove its artifact")?,
            }
        }
        Some(Explanation::Trial(runs)) => match runs.first() {
            Some(run) => {
                explain_trial(run, &runs)?;
                explain_choice(&store, run).await?;
                let of_sweep: Vec<&RunFacts> = runs.iter().filter(|other| other.sweep_id == run.sweep_id).collect();
                print_command(&store, run, &of_sweep).await?;
            }
            None => print(&format!("{} is in no sweep any more; its results stay in the store", args.id))?,
        },
    }
    Ok(Exit::Done)
}

/// Prints the command that repeats these runs of one trial and one sweep.
async fn print_command(store: &Store, first: &RunFacts, runs: &[&RunFacts]) -> Result<(), Failure> {
    let sweep = store.sweep_row(&first.sweep_id).await?;
    let mut categories: Vec<&str> = runs.iter().map(|run| run.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut seeds: Vec<i64> = runs.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let working_folder = std::env::current_dir().ok().map(|folder| folder.display().to_string());
    let elsewhere = sweep.folder.as_ref().filter(|folder| working_folder.as_ref() != Some(folder));
    let in_folder = elsewhere.map(|folder| format!(" (in {folder})")).unwrap_or_default();
    let command = repeat_command(
        &sweep,
        &RepeatedRuns {
            run: &first.id,
            number: first.number,
            baseline: first.baseline,
            variant: &first.variant,
            point: &first.point,
            settings: &first.settings,
            categories,
            seeds,
        },
    );
    print(&format!("command to repeat it in a separate sweep{in_folder}:\n{command}"))
}

fn explain_trial(first: &RunFacts, runs: &[RunFacts]) -> Result<(), Failure> {
    print(&format!("trial {} ({}) in {}", short_key(&first.trial_id), first.trial, counted(runs.len(), "run")))?;
    let searched: BTreeMap<String, serde_json::Value> = serde_json::from_str(&first.point).unwrap_or_default();
    let rows: Vec<Vec<String>> = searched.iter().map(|(name, value)| vec![name.clone(), value.to_string()]).collect();
    if !rows.is_empty() {
        let head = if first.baseline { "baseline of the trials with" } else { "setting" };
        print(&table(&[head, "value"], &rows))?;
    }
    print(&runs_table(runs))
}

/// Says whether the trial was chosen of its variant, and what the seeds of the comparison say.
async fn explain_choice(store: &Store, run: &RunFacts) -> Result<(), Failure> {
    let Some(tuned) = tuned_of(store, &store.sweep_row(&run.sweep_id).await?).await? else { return Ok(()) };
    let variant = &run.variant;
    let Some(choice) = tuned.choices.iter().find(|choice| choice.variant == *variant) else {
        return print(&format!(
            "no trial of {variant} is chosen: the search has not ended, or none has all its values"
        ));
    };
    match (choice.trial == run.trial_id, tuned.objective, choice.promised) {
        (false, Some(objective), Some(promised)) => {
            return print(&format!(
                "not chosen: of {variant}, {} has the highest {objective}, {promised:.4}",
                choice.title
            ));
        }
        (true, Some(objective), Some(promised)) => print(&format!(
            "chosen: of {} trials of {variant}, it has the highest {objective}, {promised:.4}",
            choice.candidates
        ))?,
        _ => print(&format!("it is the only trial of {variant}"))?,
    }
    let Some(decision) = tuned.decisions.iter().find(|decision| decision.choice.variant == *variant) else {
        return Ok(());
    };
    print(&decision.describe())?;
    if let Some(needed) = decision.needed {
        print(&format!("about {needed} seeds would do, if mean and spread stay as they are"))?;
    }
    let gains = decision.differences.iter().map(|(seed, gain)| vec![seed.to_string(), signed(*gain)]);
    print(&table(&["seed", "gain over ST-FPM"], &gains.collect::<Vec<_>>()))
}

fn explain_run(run: &RunFacts, stages: &[StageExplanation]) -> Result<(), Failure> {
    let RunFacts { category, trial, seed, state, sweep, .. } = run;
    print(&format!("run {} of sweep {sweep} ({category} · {trial} · seed {seed}) is {state}", short_key(&run.id)))?;
    print(&reason(run, stages))?;
    print(&stages_table(stages))
}

/// Returns the reason for the run's state.
fn reason(run: &RunFacts, stages: &[StageExplanation]) -> String {
    let first = |wanted: fn(&StageState) -> bool| stages.iter().find(|stage| wanted(&stage.state));
    if let Some(reason) = &run.reason {
        return match run.state {
            RunState::Failed => format!("{reason}; add `--retry-failed` to retry it"),
            RunState::Cancelled => format!("{reason}; start the sweep again to revive it"),
            RunState::Pending | RunState::Running | RunState::Done | RunState::Pruned => reason.clone(),
        };
    }
    match run.state {
        RunState::Done => "every stage is done".to_owned(),
        RunState::Running => match first(|state| matches!(state, StageState::Running { .. })) {
            Some(stage) => format!("a worker is running {} ({})", stage.kind, stage.state.remark()),
            None => "a worker is about to claim its next stage".to_owned(),
        },
        RunState::Pending | RunState::Failed | RunState::Pruned | RunState::Cancelled => {
            let next = first(|state| matches!(state, StageState::Pending { .. } | StageState::Running { .. }));
            let waiting = next.map(|stage| stage.state.remark()).filter(|remark| !remark.is_empty());
            let queue = match run.before {
                0 => "it is the next run: the first free worker claims it (is a sweep or worker running?)".to_owned(),
                before => {
                    format!("{} of the sweep {} before it", counted(before, "run"), agreeing(before, "comes", "come"))
                }
            };
            waiting.map_or(queue.clone(), |remark| format!("{queue}; {remark}"))
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
    print(&table(&["attempt", "state", "started", "duration", "process", "log", "reason"], &rows))?;
    print(&format!("shared by {}\n{}", counted(stage.shared_by, "run"), runs_table(runs)))
}
