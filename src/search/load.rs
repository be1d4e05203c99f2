//! Loads a sweep file with its flags, checks it and draws its trials.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{MAX_CONSECUTIVE_DUPLICATES, STARTUP_TRIALS, count, draws, pairwise_extremes};
use crate::config::{
    ConfigErrors, Draft, MAX_RUNS, Objective, Space, Strategy, Sweep, SweepSource, SweepTrial, digest, read,
};
use crate::data::CategorySelection;
use crate::text::counted;

/// Reads a sweep file (`None`: the embedded demo) with `--set KEY=VALUE` overrides; reports every problem at once.
///
/// The sweep contains all its trials. If the strategy learns, it contains only the start-up trials; the space creates the others.
///
/// # Errors
/// Every problem of the file and of the drawn trials.
pub fn load(path: Option<&Path>, overrides: &[(String, String)]) -> Result<(Sweep, Space, SweepSource), ConfigErrors> {
    load_at_most(path, overrides, None)
}

/// Does the same as [`load`], but keeps only the first `limit` trials.
///
/// # Errors
/// As [`load`].
pub fn load_at_most(
    path: Option<&Path>,
    overrides: &[(String, String)],
    limit: Option<usize>,
) -> Result<(Sweep, Space, SweepSource), ConfigErrors> {
    let mut draft = read(path, overrides)?;
    let seeds = draft.sweep.search.seeds.len();
    match too_many_runs(&draft.space, seeds, limit) {
        Some(message) => {
            let help = format!(
                "expected at most {MAX_RUNS} runs: use fewer values or seeds, search.strategy = \"random\" with trials, or --max-trials"
            );
            draft.refuse_space(message, help);
        }
        // If the sweep would be too large without the limit, draw only as many trials as the limit allows.
        None => {
            let limit = limit.filter(|_| too_many_runs(&draft.space, seeds, None).is_some());
            draft.sweep.trials = draw_trials(&mut draft, limit);
            if draft.sweep.confirmation().is_some() && has_choice(&draft.sweep.trials) {
                draft.sweep.search.objective.get_or_insert(Objective::PSEUDO);
            }
        }
    }
    draft.finish()
}

/// Returns a message if there are more runs than a sweep may have. Counts the points without drawing them.
fn too_many_runs(space: &Space, seeds: usize, limit: Option<usize>) -> Option<String> {
    let categories = match &space.base().data.categories {
        CategorySelection::Named(names) => names.len().max(1),
        // Unknown until the data is opened; the planner counts again.
        CategorySelection::All => 1,
    };
    let (trials, what) = match space.strategy().trials() {
        Some(trials) => (trials as u128, "trials"),
        None => (count(space.axes()), "points"),
    };
    let trials = trials.min(limit.map_or(u128::MAX, |limit| limit as u128));
    let runs = trials.saturating_mul(seeds as u128).saturating_mul(categories as u128);
    let shown =
        |count: u128| if count == u128::MAX { "more than can be counted".to_owned() } else { count.to_string() };
    (runs > MAX_RUNS as u128).then(|| {
        format!(
            "the sweep has {} runs: {} {what} × {} × {}",
            shown(runs),
            shown(trials),
            counted(categories, "category"),
            counted(seeds, "seed")
        )
    })
}

/// Returns whether a variant has several trials, of which one must be chosen.
fn has_choice(trials: &[SweepTrial]) -> bool {
    let mut variants = HashSet::new();
    !trials.iter().all(|trial| variants.insert(&trial.variant))
}

/// Draws the trials that are known before anything has run, without duplicates, baselines first.
fn draw_trials(draft: &mut Draft, limit: Option<usize>) -> Vec<SweepTrial> {
    let (axes, strategy) = (draft.space.axes().to_vec(), draft.space.strategy().clone());
    let (wanted, max_duplicates) = match strategy {
        Strategy::Grid => (usize::MAX, usize::MAX),
        Strategy::Random(draws) | Strategy::Sobol(draws) => (draws.trials, MAX_CONSECUTIVE_DUPLICATES),
        Strategy::Tpe(draws) => (draws.trials.min(STARTUP_TRIALS as usize), MAX_CONSECUTIVE_DUPLICATES),
    };
    // One more, because one of the points may be the baseline.
    let wanted = wanted.min(limit.map_or(usize::MAX, |limit| limit.saturating_add(1)));
    if strategy.learns() {
        // Report incompatible settings now, not when the search reaches them hours later.
        let first = draws(&axes, &strategy).next().unwrap_or_default();
        for point in pairwise_extremes(&axes, &first) {
            draft.trial(&point);
        }
    }
    let mut trials: Vec<SweepTrial> = Vec::new();
    let mut known = HashMap::new();
    let mut duplicates = 0;
    for point in draws(&axes, &strategy) {
        let trial = draft.trial(&point);
        match known.entry(digest(&trial)) {
            Entry::Occupied(entry) => {
                duplicates += 1;
                let first: &mut SweepTrial = &mut trials[*entry.get()];
                if !strategy.learns() {
                    // A setting that does not change the trial does not apply to it.
                    first.axes.retain(|name, value| trial.axes.get(name) == Some(value));
                }
            }
            Entry::Vacant(entry) => {
                entry.insert(trials.len());
                trials.push(trial);
                duplicates = 0;
            }
        }
        if trials.len() >= wanted || duplicates >= max_duplicates {
            break;
        }
    }
    draft.space.with_baselines(trials)
}
