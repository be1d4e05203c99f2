//! Changes a sweep's plan while it runs: a search that learns adds trials, a pruner stops unpromising ones, and chosen trials get seeds.

mod comparison;
mod search;

use std::collections::BTreeSet;

use super::failure::Failure;
use crate::config::{Space, Sweep, SweepTrial};
use crate::plan::{Plan, Planner, identity};
use crate::schedule::{Outlook, Steer};
use crate::search::Observation;
use crate::store::{Artifacts, PlanOutcome, PlanSource, Store, StoreError, StoredTrial, Wanted};

/// Steers one sweep.
pub(super) struct Steering {
    /// Settings of the sweep, and the known trials.
    pub sweep: Sweep,
    pub space: Space,
    pub planner: Planner,
    pub artifacts: Artifacts,
    /// Id of the sweep; empty until it is planned.
    pub id: String,
    /// Number of workers: while trials are to come, at least as many runs should be open.
    pub slots: usize,
    /// Limit on the number of trials, baselines included, from the command line.
    pub max_trials: Option<usize>,
    /// Whether chosen trials get seeds of their own. Not if only one trial or run is computed.
    pub compares: bool,
    /// Choices and answers that were recorded as events.
    recorded: BTreeSet<String>,
    /// Start-up trials of a search that learns; empty for others.
    startup: Vec<SweepTrial>,
    /// Observations of other sweeps at points of this space; read once.
    other_sweeps: Option<Vec<Observation>>,
}

impl Steering {
    pub(super) fn new(
        sweep: Sweep,
        space: Space,
        artifacts: Artifacts,
        slots: usize,
        max_trials: Option<usize>,
    ) -> Self {
        let planner = Planner::default();
        let startup = if sweep.search.strategy.learns() { sweep.trials.clone() } else { Vec::new() };
        Self {
            sweep,
            space,
            planner,
            artifacts,
            id: String::new(),
            slots,
            max_trials,
            compares: true,
            recorded: BTreeSet::new(),
            startup,
            other_sweeps: None,
        }
    }

    /// Plans the sweep: the trials of its file, or for a search that learns and has run before, its stored trials.
    pub(super) fn plan(&mut self, stored: &[StoredTrial]) -> Result<Plan, Failure> {
        if let Some(wanted) = self.wanted_trials() {
            self.sweep.trials = self.continued(stored, wanted)?;
        }
        if let Some(limit) = self.max_trials {
            self.sweep.trials.truncate(limit);
        }
        Ok(self.planner.plan(&self.sweep)?)
    }

    /// Returns the digest of what the file asks for. It is equal for two starts of an unchanged file, whatever a search has learnt
    /// in between.
    pub(super) fn identity(&self, plan: &Plan) -> String {
        match self.wanted_trials() {
            Some(_) => identity(&self.sweep.search, &self.startup, self.max_trials, plan),
            None => identity(&self.sweep.search, &self.sweep.trials, None, plan),
        }
    }
}

impl Steering {
    async fn steer(&mut self, store: &Store) -> Result<Outlook, Failure> {
        match self.advance_search(store).await? {
            Outlook::Complete => self.advance_comparison(store).await,
            Outlook::MoreToCome => Ok(Outlook::MoreToCome),
        }
    }
}

impl Steer for Steering {
    type Error = Failure;

    async fn advance(&mut self, store: &Store) -> Result<Outlook, Failure> {
        let outlook = self.steer(store).await?;
        let wanted = Wanted { sweep: self.id.clone(), only: None };
        if outlook == Outlook::MoreToCome && !store.has_open_stages(&wanted).await? {
            // The worker of the last stage may have been killed before it copied the numbers.
            store.settle_evaluations(&self.id, &self.artifacts).await?;
            return self.steer(store).await;
        }
        Ok(outlook)
    }
}

/// Maximum number of attempts to plan a sweep that other processes plan at the same time.
const MAX_ATTEMPTS: usize = 10;

/// Plans and writes a sweep, including the trials that its search had added; plans again if another process was faster. The inner error
/// says that the sweep came from another file.
pub(super) async fn write_plan(
    steering: &mut Steering,
    store: &Store,
    source: &mut PlanSource,
) -> Result<Result<(Plan, PlanOutcome), StoreError>, Failure> {
    for _ in 0..MAX_ATTEMPTS {
        let stored = store.planned_trials(&steering.sweep.name).await?;
        let (generation, stored) = stored.map_or((None, Vec::new()), |(generation, trials)| (Some(generation), trials));
        let mut plan = steering.plan(&stored)?;
        source.plan = steering.identity(&plan);
        if generation.is_some() {
            // What an earlier process has added.
            plan.add(steering.plan_compared(store).await?);
        }
        match store.write_plan(&steering.sweep, source, &plan, &steering.artifacts, generation).await {
            Ok(outcome) => {
                steering.id.clone_from(&outcome.sweep);
                return Ok(Ok((plan, outcome)));
            }
            Err(StoreError::Replanned) => {}
            Err(error @ StoreError::OtherFile { .. }) => return Ok(Err(error)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Replanned.into())
}
