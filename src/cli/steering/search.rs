//! The search of a sweep that runs: a search that learns adds trials, and a pruner stops unpromising ones.

use std::collections::{BTreeMap, HashMap};

use super::Steering;
use crate::cause::Context;
use crate::cli::failure::Failure;
use crate::config::{Objective, Sweep, SweepTrial};
use crate::schedule::Outlook;
use crate::search::{Observation, PointOutcome, STARTUP_TRIALS, TrialProgress, TrialState, propose_trial, prune};
use crate::store::{RunState, SearchTrial, Store, StoreError, StoredTrial};

impl Steering {
    /// Adds and prunes trials.
    pub(super) async fn advance_search(&mut self, store: &Store) -> Result<Outlook, Failure> {
        let wanted = self.wanted_trials();
        if wanted.is_none() && self.sweep.search.pruner.is_none() {
            return Ok(Outlook::Complete);
        }
        loop {
            let mut search_trials = self.search_trials(store).await?;
            if self.prune(store, &search_trials).await? {
                search_trials = self.search_trials(store).await?;
            }
            let open = search_trials.iter().flat_map(|trial| &trial.runs).filter(|run| run.is_open()).count();
            let trials = search_trials.iter().filter(|trial| trial.is_searched()).count();
            let full = self.max_trials.is_some_and(|limit| search_trials.len() >= limit);
            let more = !full && wanted.is_some_and(|wanted| trials < wanted);
            // While runs are open, trials may still be pruned.
            let outlook = if more || open > 0 { Outlook::MoreToCome } else { Outlook::Complete };
            if !more || open >= self.slots {
                return Ok(outlook);
            }
            if !self.extend(store, &search_trials).await? {
                return match open {
                    0 => Ok(Outlook::Complete),
                    _ => Ok(Outlook::MoreToCome),
                };
            }
        }
    }

    /// Returns the trials of a search that is continued: its stored trials that are still in its space. If it wants fewer, finished
    /// trials come first. Points without an auto-encoder are ST-FPM's, and do not count.
    ///
    /// Start-up trials only fill up what the stored ones lack. So a search whose range was widened has no second start-up.
    pub(super) fn continued(&self, stored: &[StoredTrial], wanted: usize) -> Result<Vec<SweepTrial>, Failure> {
        let mut order: Vec<usize> = (0..stored.len()).collect();
        order.sort_by_key(|&index| !stored[index].ended);
        let mut kept: Vec<(usize, SweepTrial)> = Vec::new();
        let mut searched = 0;
        for index in order {
            if let Some(trial) = self.trial_of(&stored[index].axes)?
                && self.is_st_fpm(&trial) != stored[index].searched
                && (!stored[index].searched || searched < wanted)
                && kept.iter().all(|(_, known)| known.trial != trial.trial)
            {
                searched += usize::from(stored[index].searched);
                kept.push((index, trial));
            }
        }
        kept.sort_by_key(|(index, _)| *index);
        let mut trials: Vec<SweepTrial> = kept.into_iter().map(|(_, trial)| trial).collect();
        for startup in self.startup.iter().filter(|trial| !trial.baseline) {
            if searched >= wanted.min(STARTUP_TRIALS as usize) {
                break;
            }
            if trials.iter().all(|known| known.trial != startup.trial) {
                searched += usize::from(startup.is_searched());
                trials.push(startup.clone());
            }
        }
        match stored.is_empty() {
            // Contains the baselines of points that equal a baseline, too.
            true => Ok(self.startup.clone()),
            false => Ok(self.space.with_baselines(trials)),
        }
    }

    /// Returns whether a point of the search is ST-FPM at this point.
    fn is_st_fpm(&self, trial: &SweepTrial) -> bool {
        self.space.baselines_of(trial).iter().any(|own| own.trial == trial.trial)
    }

    /// Returns the number of trials that a search that learns wants, without baselines; `None` for other searches.
    pub(super) fn wanted_trials(&self) -> Option<usize> {
        let strategy = &self.sweep.search.strategy;
        strategy.trials().filter(|_| strategy.learns())
    }

    fn trial_of(&self, axes: &str) -> Result<Option<SweepTrial>, Failure> {
        let values: BTreeMap<String, serde_json::Value> = serde_json::from_str(axes)
            .map_err(|error| StoreError::Row(Context::new("cannot read the axes of a trial", error).into()))?;
        // A point that no longer fits the rest of the file is no longer in the space.
        Ok(self.space.point_of(&values).and_then(|point| self.space.trial(&point).ok()))
    }

    /// Adds a trial to the sweep, with the baseline of its protocol if that is missing. Returns the added trials.
    fn admit(&mut self, trial: SweepTrial) -> Vec<SweepTrial> {
        let known = |baseline: &SweepTrial| self.sweep.trials.iter().any(|known| known.trial == baseline.trial);
        let mut new: Vec<SweepTrial> = self.space.with_baselines(vec![trial]);
        new.retain(|trial| !known(trial));
        self.sweep.trials.extend(new.iter().cloned());
        new
    }

    /// Prunes unpromising trials; returns whether it pruned any.
    async fn prune(&self, store: &Store, search_trials: &[SearchTrial]) -> Result<bool, Failure> {
        let Some(pruner) = &self.sweep.search.pruner else { return Ok(false) };
        let mut pruned = false;
        let progress: Vec<TrialProgress> = search_trials.iter().map(progress_of).collect();
        for (trial, reason) in search_trials.iter().zip(prune(pruner, &progress)) {
            let Some(reason) = reason else { continue };
            if store.prune(&self.id, &trial.id, &reason).await? > 0 {
                pruned = true;
                store.record_event(&self.id, "pruned", &format!("{}: {reason}", trial.title)).await?;
            }
        }
        Ok(pruned)
    }

    /// Returns the observations in the space: this sweep's trials, and finished trials of other sweeps on the same images.
    async fn history(&mut self, store: &Store, search_trials: &[SearchTrial]) -> Result<Vec<Observation>, Failure> {
        let mut history = Vec::new();
        for trial in search_trials.iter().filter(|trial| trial.is_searched()) {
            let values = serde_json::from_str(&trial.axes).map_err(StoreError::from)?;
            if let Some(point) = self.space.point_of(&values) {
                history.push(Observation { point, outcome: outcome_of(trial) });
            }
        }
        if self.other_sweeps.is_none() {
            self.other_sweeps = Some(self.learn_from_others(store).await?);
        }
        let known = |observation: &&Observation| history.iter().all(|known| known.point != observation.point);
        let others: Vec<Observation> = self.other_sweeps.iter().flatten().filter(known).cloned().collect();
        history.extend(others);
        Ok(history)
    }

    /// Returns observations of other sweeps. A trial counts if this sweep would compute the same runs, that is, runs with equal keys.
    async fn learn_from_others(&mut self, store: &Store) -> Result<Vec<Observation>, Failure> {
        let mut learnt: Vec<Observation> = Vec::new();
        for other in store.other_search_trials(&self.id, self.objective().metric()).await? {
            let values: HashMap<&str, f64> =
                other.runs.iter().filter_map(|run| Some((run.id.as_str(), run.value?))).collect();
            let Some(trial) = self.trial_of(&other.axes)? else { continue };
            let axes = trial.axes.clone();
            let plan = self.planner.plan(&Sweep { trials: vec![trial], ..self.sweep.clone() })?;
            let all: Option<Vec<f64>> = plan.runs.iter().map(|run| values.get(run.key.as_str()).copied()).collect();
            let (Some(all), Some(point)) = (all, self.space.point_of(&axes)) else { continue };
            if learnt.iter().all(|known| known.point != point) {
                learnt.push(Observation { point, outcome: PointOutcome::Value(mean(&all)) });
            }
        }
        Ok(learnt)
    }

    pub(super) fn objective(&self) -> Objective {
        self.sweep.search.objective.unwrap_or(Objective::PSEUDO)
    }

    /// Adds one trial; returns `false` if the space has no further one.
    async fn extend(&mut self, store: &Store, search_trials: &[SearchTrial]) -> Result<bool, Failure> {
        let history = self.history(store, search_trials).await?;
        let mut known = Vec::new();
        for trial in search_trials.iter().filter(|trial| trial.is_searched()) {
            known.extend(self.trial_of(&trial.axes)?);
        }
        known.extend(self.sweep.trials.iter().filter(|trial| !trial.is_searched()).cloned());
        let index = search_trials.iter().filter(|trial| trial.is_searched()).count() as u64;
        let Some(proposal) = propose_trial(&self.space, index, &history, &known) else { return Ok(false) };
        self.sweep.trials = known;
        let trials = self.admit(proposal.trial);
        if trials.is_empty() {
            return Ok(false);
        }
        let plan = self.planner.plan(&Sweep { trials, ..self.sweep.clone() })?;
        match store.extend_plan(&self.id, &plan, &self.artifacts, search_trials.len()).await {
            // `Replanned`: another process has added a trial, so look again.
            Ok(_) | Err(StoreError::Replanned) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the trials of the sweep with their runs on the search's seeds.
    async fn search_trials(&self, store: &Store) -> Result<Vec<SearchTrial>, Failure> {
        let trials = store.search_trials(&self.id, self.objective().metric()).await?;
        Ok(trials.into_iter().map(|trial| trial.on_seeds(&self.sweep.search.seeds)).collect())
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the outcome of a trial for its search. A pruned trial has the mean of its finished runs.
fn outcome_of(trial: &SearchTrial) -> PointOutcome {
    let values: Vec<f64> = trial.runs.iter().filter_map(|run| run.value).collect();
    let is = |state: RunState| trial.runs.iter().any(|run| run.state == state);
    match () {
        () if values.len() == trial.runs.len() && !values.is_empty() => PointOutcome::Value(mean(&values)),
        () if trial.runs.iter().any(|run| run.is_open()) => PointOutcome::Pending,
        () if is(RunState::Failed) => PointOutcome::Failed,
        () if is(RunState::Pruned) && !values.is_empty() => PointOutcome::Value(mean(&values)),
        () => PointOutcome::Ignored,
    }
}

/// Returns the progress of a trial for the pruner.
fn progress_of(trial: &SearchTrial) -> TrialProgress {
    let is = |state: RunState| trial.runs.iter().any(|run| run.state == state);
    let state = match () {
        () if trial.baseline => TrialState::Baseline,
        // All values are known. The remaining stages only compute test numbers, so pruning saves nothing.
        () if trial.runs.iter().all(|run| run.value.is_some()) => TrialState::Finished,
        () if trial.runs.iter().any(|run| run.is_open()) => TrialState::Running,
        () if is(RunState::Pruned) => TrialState::Pruned,
        () => TrialState::Finished,
    };
    TrialProgress { values: trial.runs.iter().map(|run| run.value).collect(), state }
}
