//! A sweep file with its flags to a checked sweep with its trials drawn.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use super::{BARREN, STARTUP, count, draws, pairwise_extremes};
use crate::config::{ConfigErrors, Draft, MAX_RUNS, Source, Space, Strategy, Sweep, SweepTrial, digest, read};
use crate::data::CategorySelection;

/// Reads a sweep file (none = the embedded demo) with `--set KEY=VALUE` overrides; reports every problem at once.
///
/// The sweep has all its trials, or, where the strategy learns, those of its start-up: the space makes the others.
///
/// # Errors
/// Everything that is wrong with the file and with the trials that are drawn.
pub fn load(path: Option<&Path>, overrides: &[(String, String)]) -> Result<(Sweep, Space, Source), ConfigErrors> {
    load_at_most(path, overrides, None)
}

/// The same with the first `limit` trials only.
///
/// # Errors
/// As [`load`].
pub fn load_at_most(
    path: Option<&Path>,
    overrides: &[(String, String)],
    limit: Option<usize>,
) -> Result<(Sweep, Space, Source), ConfigErrors> {
    let mut draft = read(path, overrides)?;
    let seeds = draft.sweep.search.seeds.len();
    match too_many(&draft.space, seeds, limit) {
        Some(message) => {
            let help = format!(
                "expected at most {MAX_RUNS} runs: fewer values or seeds, search.strategy = \"random\" with trials, or --max-trials"
            );
            draft.refuse_space(message, help);
        }
        // Where there would be too many without a limit, only as many are drawn as it allows.
        None => {
            let limit = limit.filter(|_| too_many(&draft.space, seeds, None).is_some());
            draft.sweep.trials = drawn(&mut draft, limit);
        }
    }
    draft.finish()
}

/// Says so if there are more runs than a sweep can have: counted, not drawn.
fn too_many(space: &Space, seeds: usize, limit: Option<usize>) -> Option<String> {
    let categories = match &space.base().data.categories {
        CategorySelection::Named(names) => names.len().max(1),
        // Not known before the data is opened: the planner counts again.
        CategorySelection::All => 1,
    };
    let (trials, what) = match space.strategy().trials() {
        Some(trials) => (trials as u128, "trials"),
        None => (count(space.axes()), "points"),
    };
    let trials = trials.min(limit.map_or(u128::MAX, |limit| limit as u128));
    let runs = trials.saturating_mul(seeds as u128).saturating_mul(categories as u128);
    let counted =
        |count: u128| if count == u128::MAX { "more than can be counted".to_owned() } else { count.to_string() };
    (runs > MAX_RUNS as u128).then(|| {
        format!(
            "the sweep has {} runs: {} {what} × {categories} category(ies) × {seeds} seed(s)",
            counted(runs),
            counted(trials)
        )
    })
}

/// The trials that are known before anything has run, without duplicates, baselines first.
fn drawn(draft: &mut Draft, limit: Option<usize>) -> Vec<SweepTrial> {
    let (axes, strategy) = (draft.space.axes().to_vec(), draft.space.strategy().clone());
    let (wanted, patience) = match strategy {
        Strategy::Grid => (usize::MAX, usize::MAX),
        Strategy::Random(draws) | Strategy::Sobol(draws) => (draws.trials, BARREN),
        Strategy::Tpe(draws) => (draws.trials.min(STARTUP as usize), BARREN),
    };
    // A point may turn out to be the baseline: one more makes up for it.
    let wanted = wanted.min(limit.map_or(usize::MAX, |limit| limit.saturating_add(1)));
    if strategy.learns() {
        // Settings that do not go together are told now, not when the search comes to them hours later.
        let first = draws(&axes, &strategy).next().unwrap_or_default();
        for point in pairwise_extremes(&axes, &first) {
            draft.trial(&point);
        }
    }
    let mut trials: Vec<SweepTrial> = Vec::new();
    let mut known = HashMap::new();
    let mut barren = 0;
    for point in draws(&axes, &strategy) {
        let trial = draft.trial(&point);
        match known.entry(digest(&trial)) {
            Entry::Occupied(place) => {
                barren += 1;
                let first: &mut SweepTrial = &mut trials[*place.get()];
                if !strategy.learns() {
                    // What makes no difference to a training does not apply to it.
                    first.axes.retain(|name, value| trial.axes.get(name) == Some(value));
                }
            }
            Entry::Vacant(place) => {
                place.insert(trials.len());
                trials.push(trial);
                barren = 0;
            }
        }
        if trials.len() >= wanted || barren >= patience {
            break;
        }
    }
    draft.space.with_baselines(trials)
}
