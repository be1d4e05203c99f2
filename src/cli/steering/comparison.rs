//! The comparison of a sweep that runs: chosen trials get seeds of their own.

use super::Steering;
use crate::analysis::{Settled, TrialSeeds, Tuned, tuned};
use crate::cli::failure::Failure;
use crate::config::{SearchSettings, Sweep};
use crate::plan::Plan;
use crate::schedule::Outlook;
use crate::store::{Store, StoreError};

impl Steering {
    /// Adds seeds to the chosen trials.
    pub(super) async fn advance_comparison(&mut self, store: &Store) -> Result<Outlook, Failure> {
        let Some(confirmation) = self.sweep.confirmation().filter(|_| self.compares) else {
            return Ok(Outlook::Complete);
        };
        loop {
            let tuned = tuned(store, &self.id, &self.sweep.search, &confirmation).await?;
            self.record(store, &tuned).await?;
            let trials = store.search_trials(&self.id, self.objective().metric()).await?;
            let open = trials.iter().flat_map(|trial| &trial.runs).filter(|run| run.is_open()).count();
            let plan = self.plan_seeds(tuned.missing(&self.sweep.search, &confirmation, open < self.slots))?;
            if plan.runs.is_empty() {
                return Ok(if open > 0 { Outlook::MoreToCome } else { Outlook::Complete });
            }
            match store.extend_plan(&self.id, &plan, &self.artifacts, trials.len()).await {
                Ok(_) | Err(StoreError::Replanned) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Plans the runs of chosen trials that an earlier process has added to the sweep.
    pub(super) async fn plan_compared(&mut self, store: &Store) -> Result<Plan, Failure> {
        let Some(confirmation) = self.sweep.confirmation() else { return Ok(Plan::default()) };
        let (sweep, _) = store.find_sweep(Some(&self.sweep.name)).await?;
        let tuned = tuned(store, &sweep, &self.sweep.search, &confirmation).await?;
        self.plan_seeds(tuned.planned())
    }

    /// Plans runs of known trials.
    fn plan_seeds(&mut self, wanted: Vec<TrialSeeds>) -> Result<Plan, Failure> {
        let mut plan = Plan::default();
        if wanted.is_empty() {
            return Ok(plan);
        }
        let known = self.planner.plan(&self.sweep)?.trials;
        for TrialSeeds { trial, seeds } in wanted {
            let Some(planned) = known.iter().find(|planned| planned.key.as_str() == trial) else { continue };
            let search = SearchSettings { seeds, ..self.sweep.search.clone() };
            let sweep = Sweep { trials: vec![planned.trial.clone()], search, ..self.sweep.clone() };
            plan.add(self.planner.plan(&sweep)?);
        }
        Ok(plan)
    }

    /// Records choices and answers as events, each once.
    async fn record(&mut self, store: &Store, tuned: &Tuned) -> Result<(), Failure> {
        let chosen = tuned.choices.iter().filter(|choice| choice.promised.is_some());
        let chosen = chosen.map(|choice| ("chosen", choice.describe()));
        let settled = tuned.decisions.iter().filter(|decision| decision.settled != Settled::Open);
        let settled = settled.map(|decision| ("decided", decision.describe()));
        for (kind, message) in chosen.chain(settled) {
            if !self.recorded.contains(&message) {
                store.record_event_once(&self.id, kind, &message).await?;
                self.recorded.insert(message);
            }
        }
        Ok(())
    }
}
