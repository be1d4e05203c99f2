//! `[search]`, but for its space.

use std::collections::HashSet;

use super::objective::Objective;
use super::problem::Problems;
use super::reader::{Reader, quoted};
use super::sweep::MAX_POINTS;
use super::sweep::{Pruner, SearchSettings, Strategy};
use super::tree::Value;

/// Reads everything but `space`, which the caller asks for.
pub(super) fn settings(reader: &mut Reader<'_>, problems: &mut Problems) -> SearchSettings {
    let strategy = strategy(reader, problems);
    let objective = objective(reader, problems);
    let pruner = pruner(reader, problems);
    let default = (strategy.learns() || pruner.is_some()).then_some(Objective::PSEUDO);
    SearchSettings { strategy, seeds: seeds(reader, problems), objective: objective.or(default), pruner }
}

fn strategy(reader: &mut Reader<'_>, problems: &mut Problems) -> Strategy {
    let kinds = [("grid", 0), ("random", 1), ("sobol", 2), ("tpe", 3)];
    // A misspelt strategy was meant to be something other than the default: no more is said of what would go with a grid.
    let misspelt = u8::from(reader.has("strategy"));
    let kind = reader.choice("strategy", misspelt, &kinds, problems);
    if kind == 0 {
        for key in ["trials", "seed"] {
            if reader.has(key) {
                let help =
                    "a grid has as many trials as points; \"random\", \"sobol\" and \"tpe\" take trials and seed";
                problems.add(&reader.place_of(key), format!("`search.{key}` does not go with a grid"), help);
            }
        }
    } else if !reader.has("trials") {
        problems.add(reader.place(), "`search.trials` is missing", "expected the number of trials to draw");
    }
    // Half the Sobol sequence, for points that were drawn before are passed over.
    let most = if kind < 2 { 1_000_000 } else { MAX_POINTS / 2 };
    let trials = match kind {
        0 => reader.integer("trials", 1, 0..=u64::MAX, problems),
        _ => reader.integer("trials", 1, 1..=most, problems),
    } as usize;
    let seed = reader.integer("seed", 0, 0..=u64::MAX, problems);
    match kind {
        0 => Strategy::Grid,
        1 => Strategy::Random { trials, seed },
        2 => Strategy::Sobol { trials, seed },
        _ => Strategy::Tpe { trials, seed },
    }
}

fn objective(reader: &mut Reader<'_>, problems: &mut Problems) -> Option<Objective> {
    let named: Vec<(String, Objective)> =
        Objective::all().map(|objective| (objective.to_string(), objective)).collect();
    let choices: Vec<(&str, Objective)> = named.iter().map(|(name, objective)| (name.as_str(), *objective)).collect();
    let given = reader.has("objective");
    let objective = reader.choice("objective", Objective::PSEUDO, &choices, problems);
    given.then_some(objective)
}

/// The kinds of pruners.
const PRUNERS: [&str; 3] = ["asha", "median", "wilcoxon"];

fn pruner(reader: &mut Reader<'_>, problems: &mut Problems) -> Option<Pruner> {
    if !reader.has("pruner") {
        reader.text("pruner", problems);
        return None;
    }
    let names = PRUNERS.map(|name| (name, Some(name)));
    if !reader.is_table("pruner") {
        let kind = reader.choice("pruner", None, &names, problems)?;
        return Some(pruner_of(kind, &mut Reader::empty(), problems));
    }
    let mut inner = reader.table("pruner", problems);
    if !inner.has("kind") {
        problems.add(inner.place(), "`search.pruner.kind` is missing", format!("expected one of {}", quoted(&PRUNERS)));
    }
    let kind = inner.choice("kind", None, &names, problems);
    let pruner = kind.map(|kind| pruner_of(kind, &mut inner, problems));
    if pruner.is_some() {
        inner.finish(problems);
    }
    pruner
}

fn pruner_of(kind: &str, reader: &mut Reader<'_>, problems: &mut Problems) -> Pruner {
    let mut count = |key, default, least| reader.integer(key, default, least..=10_000, problems) as usize;
    match kind {
        "asha" => Pruner::Asha { min_runs: count("min_runs", 1, 1), eta: count("eta", 3, 2) },
        "median" => Pruner::Median { min_runs: count("min_runs", 2, 1), startup_trials: count("startup_trials", 5, 1) },
        _ => {
            let min_runs = count("min_runs", 4, 1);
            Pruner::Wilcoxon { p: reader.number("p", 0.1, 1e-6..=0.5, problems), min_runs }
        }
    }
}

fn seeds(reader: &mut Reader<'_>, problems: &mut Problems) -> Vec<u64> {
    let Some(items) = reader.list("seeds", "a list of whole numbers", problems) else { return vec![0] };
    let mut seeds = Vec::new();
    let mut listed = HashSet::new();
    for item in items {
        match item.value {
            Value::Integer(seed) if seed >= 0 && listed.insert(seed) => seeds.push(seed as u64),
            Value::Integer(seed) if seed >= 0 => {
                problems.add(&item.place, format!("seed {seed} is listed twice"), "list each seed once");
            }
            _ => problems.add(
                &item.place,
                format!("a seed is {}", item.value.describe()),
                "expected whole numbers of at least 0",
            ),
        }
    }
    if items.is_empty() {
        problems.add(&reader.place_of("seeds"), "`search.seeds` is empty", "expected at least one seed");
    }
    seeds
}
