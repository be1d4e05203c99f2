//! Tuned comparisons: reads which trials the search chose, and what is known about them on their own seeds.

use serde::{Deserialize, Serialize};

use super::choice::{Choice, choices, comparison_seeds, variants};
use super::decision::{VariantDecision, decisions, seeds_wanted};
use super::protocol::Protocol;
use crate::config::{Confirmation, DecideSettings, Objective, SearchSettings};
use crate::store::{ComparedRun, SearchRun, SearchTrial, Store, StoreError, SweepRow};

/// The chosen trials of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuned {
    /// The chosen trials, ST-FPM first. Empty while the search is not over.
    pub choices: Vec<Choice>,
    /// Labels of variants without a chosen trial: none of their trials has all its values. They stay undecided.
    pub unchosen: Vec<String>,
    /// Objective that chose them; `None` if each variant has one trial only.
    pub objective: Option<Objective>,
    /// Settings of the decision; `None` if the number of seeds is fixed.
    pub decide: Option<DecideSettings>,
    /// Seeds of the comparison that all chosen trials have runs of, in their order.
    pub seeds: Vec<u64>,
    /// What is known about each variant; empty if the number of seeds is fixed.
    pub decisions: Vec<VariantDecision>,
    /// Seeds of the sweep file.
    #[serde(skip)]
    fixed: Vec<u64>,
    /// How many seeds of each chosen trial have runs.
    #[serde(skip)]
    planned: Vec<usize>,
}

/// Some seeds of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialSeeds {
    /// Key of the trial.
    pub trial: String,
    /// Its seeds.
    pub seeds: Vec<u64>,
}

/// Settings of a stored sweep.
#[derive(Deserialize)]
struct Resolved {
    search: SearchSettings,
    decide: Option<DecideSettings>,
}

/// Reads the chosen trials of a stored sweep. Returns `None` if its file asks for no choice, or if another version wrote its settings.
///
/// # Errors
/// A query of the store fails.
pub async fn tuned_of(store: &Store, sweep: &SweepRow) -> Result<Option<Tuned>, StoreError> {
    let Ok(Resolved { search, decide }) = serde_json::from_str(&sweep.resolved) else { return Ok(None) };
    match Confirmation::of(&search, decide) {
        Some(confirmation) => tuned(store, &sweep.id, &search, &confirmation).await.map(Some),
        None => Ok(None),
    }
}

/// Returns the seeds of a sweep's search; `None` if all its runs belong to the search.
pub(crate) fn seeds_of_search(sweep: &SweepRow) -> Option<Vec<u64>> {
    let Resolved { search, decide } = serde_json::from_str(&sweep.resolved).ok()?;
    Confirmation::of(&search, decide).map(|_| search.seeds)
}

/// Reads the chosen trials of a sweep and what is known about them.
///
/// # Errors
/// A query of the store fails.
pub async fn tuned(
    store: &Store,
    sweep: &str,
    search: &SearchSettings,
    confirmation: &Confirmation,
) -> Result<Tuned, StoreError> {
    let objective = search.objective.unwrap_or(Objective::PSEUDO);
    let trials = store.search_trials(sweep, objective.metric()).await?;
    let of_search: Vec<SearchTrial> = trials.iter().map(|trial| trial.clone().on_seeds(&search.seeds)).collect();
    let mut choices = choices(&of_search);
    let choosing = has_several(&of_search);
    // A later trial may be better.
    if choosing && of_search.iter().flat_map(|trial| &trial.runs).any(SearchRun::is_open) {
        choices.clear();
    }
    let most = match confirmation {
        Confirmation::Fixed(seeds) => *seeds,
        Confirmation::UntilSettled(decide) => decide.max_seeds,
    };
    let seeds: Vec<u64> = comparison_seeds(&search.seeds, choosing).take(most).collect();
    let chosen: Vec<&SearchTrial> =
        choices.iter().filter_map(|choice| trials.iter().find(|trial| trial.id == choice.trial)).collect();
    let has = |trial: &SearchTrial, seed: u64| trial.runs.iter().any(|run| run.seed as u64 == seed);
    let planned: Vec<usize> =
        chosen.iter().map(|trial| seeds.iter().take_while(|seed| has(trial, **seed)).count()).collect();
    let decide = match confirmation {
        Confirmation::Fixed(_) => None,
        Confirmation::UntilSettled(decide) => Some(*decide),
    };
    let decisions = match (decide, choices.first()) {
        (Some(decide), Some(baseline)) => {
            let measured = store.search_trials(sweep, decide.metric).await?;
            let protocols = store.protocols_of(sweep, &baseline.trial).await?;
            let protocols: Vec<Protocol> = protocols.iter().map(|(_, text)| Protocol::of_text(text)).collect();
            decisions(&choices, variants(&trials).len() - 1, &measured, &seeds, &decide, &protocols)
        }
        _ => Vec::new(),
    };
    let is_chosen = |variant: &&str| choices.iter().any(|choice| choice.variant == *variant);
    let unchosen = variants(&trials).into_iter().filter(|variant| !choices.is_empty() && !is_chosen(variant));
    let unchosen = unchosen.map(str::to_owned).collect();
    let common = planned.iter().copied().max().unwrap_or_default();
    Ok(Tuned {
        choices,
        unchosen,
        objective: choosing.then_some(objective),
        decide,
        seeds: seeds[..common].to_vec(),
        decisions,
        fixed: search.seeds.clone(),
        planned,
    })
}

/// Returns whether any variant has several trials, so that the objective makes a choice.
fn has_several(trials: &[SearchTrial]) -> bool {
    trials.iter().enumerate().any(|(index, trial)| trials[..index].iter().any(|other| other.variant == trial.variant))
}

impl Tuned {
    /// Keeps the runs that may judge a variant: those of its chosen trial, on the seeds of the comparison.
    pub fn retain(&self, variant: &str, runs: &mut Vec<ComparedRun>) {
        let Some(choice) = self.choices.iter().find(|choice| choice.variant == variant) else { return };
        runs.retain(|run| run.trial_id == choice.trial && self.seeds.contains(&(run.seed as u64)));
    }

    /// If seeds were added until the answer was settled, drops the runs on these seeds, and returns whether there were any. Tests for a fixed
    /// number of seeds hold for the seeds of the file alone.
    pub fn drop_added(&self, runs: &mut Vec<ComparedRun>) -> bool {
        let before = runs.len();
        if self.decide.is_some() {
            runs.retain(|run| self.fixed.contains(&(run.seed as u64)));
        }
        runs.len() < before
    }

    /// Returns the seeds of the comparison of which each chosen trial has runs.
    pub fn planned(&self) -> Vec<TrialSeeds> {
        let of = |(choice, planned): (&Choice, &usize)| TrialSeeds {
            trial: choice.trial.clone(),
            seeds: self.seeds[..*planned].to_vec(),
        };
        self.choices.iter().zip(&self.planned).map(of).filter(|planned| !planned.seeds.is_empty()).collect()
    }

    /// Returns the runs that the comparison lacks now. With idle workers, the next seed is added before the last one is done.
    pub fn missing(
        &self,
        search: &SearchSettings,
        confirmation: &Confirmation,
        has_idle_workers: bool,
    ) -> Vec<TrialSeeds> {
        // ST-FPM alone is compared with nothing.
        if self.choices.len() < 2 {
            return Vec::new();
        }
        let planned = self.planned.iter().copied().max().unwrap_or_default();
        let wanted = seeds_wanted(
            &self.choices,
            &self.decisions,
            confirmation,
            (self.choices.len() - 1 + self.unchosen.len(), planned),
            has_idle_workers,
        );
        let order = || comparison_seeds(&search.seeds, self.objective.is_some());
        let missing = |((choice, planned), wanted): ((&Choice, &usize), usize)| TrialSeeds {
            trial: choice.trial.clone(),
            seeds: order().take(wanted).skip(*planned).collect(),
        };
        let all = self.choices.iter().zip(&self.planned).zip(wanted).map(missing);
        all.filter(|missing| !missing.seeds.is_empty()).collect()
    }
}
