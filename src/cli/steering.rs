//! What changes a sweep's plan while it runs: a search that learns adds trials, a pruner stops those that are not worth going
//! on with.

use crate::store::RunState;
use std::collections::{BTreeMap, HashMap};

use super::failure::Failure;
use crate::cause::Context;
use crate::config::{Objective, Space, Sweep, SweepTrial};
use crate::plan::{Plan, Planner, identity};
use crate::schedule::{Outlook, Steer};
use crate::search::{Observation, PointOutcome, STARTUP_TRIALS, TrialProgress, TrialState, propose_trial, prune};
use crate::store::{Artifacts, PlanOutcome, PlanSource, Store, StoreError, StoredTrial, TrialStanding};

/// Steers one sweep.
pub(super) struct Steering {
    /// Its settings and the trials that are known.
    pub sweep: Sweep,
    pub space: Space,
    pub planner: Planner,
    pub artifacts: Artifacts,
    /// Its id, once it is planned.
    pub id: String,
    /// Workers: so many runs should be open while there are trials to come.
    pub slots: usize,
    /// Trials in all, baselines included, if the command line limits them.
    pub max_trials: Option<usize>,
    /// Of a search that learns the trials of its start-up.
    drawn: Vec<SweepTrial>,
    /// What other sweeps have found out about points of this space; read once.
    elsewhere: Option<Vec<Observation>>,
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
        let drawn = if sweep.search.strategy.learns() { sweep.trials.clone() } else { Vec::new() };
        Self { sweep, space, planner, artifacts, id: String::new(), slots, max_trials, drawn, elsewhere: None }
    }

    /// Lays out the sweep: the trials of its file or, of a search that learns and has run before, those that it had.
    pub(super) fn plan(&mut self, before: &[StoredTrial]) -> Result<Plan, Failure> {
        if let Some(wanted) = self.wants_more() {
            self.sweep.trials = self.continued(before, wanted)?;
        }
        if let Some(limit) = self.max_trials {
            self.sweep.trials.truncate(limit);
        }
        Ok(self.planner.plan(&self.sweep)?)
    }

    /// The trials of a search that goes on: those that it had, as far as they lie in its space as it is now; where it wants fewer than
    /// these, those whose runs are over first. Points of the start-up are drawn only as far as these are too few for one, so that a
    /// search whose range was widened has no second start-up.
    fn continued(&self, before: &[StoredTrial], wanted: usize) -> Result<Vec<SweepTrial>, Failure> {
        let mut order: Vec<usize> = (0..before.len()).collect();
        order.sort_by_key(|&place| !before[place].over);
        let mut kept: Vec<(usize, SweepTrial)> = Vec::new();
        for place in order {
            if kept.len() >= wanted {
                break;
            }
            if let Some(trial) = self.trial_of(&before[place].axes)?
                && kept.iter().all(|(_, known)| known.trial != trial.trial)
            {
                kept.push((place, trial));
            }
        }
        kept.sort_by_key(|(place, _)| *place);
        let mut trials: Vec<SweepTrial> = kept.into_iter().map(|(_, trial)| trial).collect();
        for drawn in self.drawn.iter().filter(|trial| !trial.baseline) {
            if trials.len() >= wanted.min(STARTUP_TRIALS as usize) {
                break;
            }
            if trials.iter().all(|known| known.trial != drawn.trial) {
                trials.push(drawn.clone());
            }
        }
        match before.is_empty() {
            // The baselines of points that became baselines are the file's, too.
            true => Ok(self.drawn.clone()),
            false => Ok(self.space.with_baselines(trials)),
        }
    }

    /// Digest of what a plan asks for: equal for two starts of an unchanged file, whatever a search has learnt between them.
    pub(super) fn identity(&self, plan: &Plan) -> String {
        match self.wants_more() {
            Some(_) => identity(&self.sweep.search, &self.drawn, self.max_trials, plan),
            None => identity(&self.sweep.search, &self.sweep.trials, None, plan),
        }
    }

    /// How many trials the search wants, baselines not counted; none for one that is drawn at once.
    fn wants_more(&self) -> Option<usize> {
        let strategy = &self.sweep.search.strategy;
        strategy.trials().filter(|_| strategy.learns())
    }

    fn trial_of(&self, axes: &str) -> Result<Option<SweepTrial>, Failure> {
        let values: BTreeMap<String, serde_json::Value> = serde_json::from_str(axes)
            .map_err(|error| StoreError::Row(Context::new("the axes of a trial", error).into()))?;
        // What no longer goes together with the rest of the file is no longer of the space.
        Ok(self.space.point_of(&values).and_then(|point| self.space.trial(&point).ok()))
    }

    /// Takes a trial into the sweep, with the baseline of its protocol where that is not there.
    fn admit(&mut self, trial: SweepTrial) -> Vec<SweepTrial> {
        let known = |baseline: &SweepTrial| self.sweep.trials.iter().any(|known| known.trial == baseline.trial);
        let baseline = self.space.baseline_of(&trial).filter(|baseline| !known(baseline));
        let new: Vec<SweepTrial> = baseline.into_iter().chain([trial]).collect();
        self.sweep.trials.extend(new.iter().cloned());
        new
    }

    /// Stops what is not worth going on with; true if that was something.
    async fn prune(&self, store: &Store, standings: &[TrialStanding]) -> Result<bool, Failure> {
        let Some(pruner) = &self.sweep.search.pruner else { return Ok(false) };
        let mut pruned = false;
        let courses: Vec<TrialProgress> = standings.iter().map(course).collect();
        for (trial, reason) in standings.iter().zip(prune(pruner, &courses)) {
            let Some(reason) = reason else { continue };
            if store.prune(&self.id, &trial.id, &reason).await? > 0 {
                pruned = true;
                store.tell(&self.id, "pruned", &format!("{}: {reason}", trial.title)).await?;
            }
        }
        Ok(pruned)
    }

    /// What is known of the space: by this sweep's trials, and by finished ones of others on the same images.
    async fn history(&mut self, store: &Store, standings: &[TrialStanding]) -> Result<Vec<Observation>, Failure> {
        let mut history = Vec::new();
        for trial in standings.iter().filter(|trial| !trial.baseline) {
            let values = serde_json::from_str(&trial.axes).map_err(StoreError::from)?;
            if let Some(point) = self.space.point_of(&values) {
                history.push(Observation { point, outcome: outcome(trial) });
            }
        }
        if self.elsewhere.is_none() {
            self.elsewhere = Some(self.learn_from_others(store).await?);
        }
        let known = |observation: &&Observation| history.iter().all(|known| known.point != observation.point);
        let others: Vec<Observation> = self.elsewhere.iter().flatten().filter(known).cloned().collect();
        history.extend(others);
        Ok(history)
    }

    /// Trials of other sweeps count where this sweep would compute the very same runs: the keys say so.
    async fn learn_from_others(&mut self, store: &Store) -> Result<Vec<Observation>, Failure> {
        let mut learnt: Vec<Observation> = Vec::new();
        for other in store.other_standings(&self.id, self.objective().metric()).await? {
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

    fn objective(&self) -> Objective {
        self.sweep.search.objective.unwrap_or(Objective::PSEUDO)
    }

    /// Adds one trial; false if the space has no other.
    async fn extend(&mut self, store: &Store, standings: &[TrialStanding]) -> Result<bool, Failure> {
        let history = self.history(store, standings).await?;
        let mut known = Vec::new();
        for trial in standings.iter().filter(|trial| !trial.baseline) {
            known.extend(self.trial_of(&trial.axes)?);
        }
        known.extend(self.sweep.trials.iter().filter(|trial| trial.baseline).cloned());
        let index = standings.iter().filter(|trial| !trial.baseline).count() as u64;
        let Some(proposal) = propose_trial(&self.space, index, &history, &known) else { return Ok(false) };
        self.sweep.trials = known;
        let trials = self.admit(proposal.trial);
        let plan = self.planner.plan(&Sweep { trials, ..self.sweep.clone() })?;
        match store.extend_plan(&self.id, &plan, &self.artifacts, standings.len()).await {
            // Another process has added one: look again.
            Ok(_) | Err(StoreError::Replanned) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl Steer for Steering {
    type Error = Failure;

    async fn advance(&mut self, store: &Store) -> Result<Outlook, Failure> {
        let wants = self.wants_more();
        if wants.is_none() && self.sweep.search.pruner.is_none() {
            return Ok(Outlook::Complete);
        }
        loop {
            let mut standings = store.trial_standings(&self.id, self.objective().metric()).await?;
            if self.prune(store, &standings).await? {
                standings = store.trial_standings(&self.id, self.objective().metric()).await?;
            }
            let open = standings.iter().flat_map(|trial| &trial.runs).filter(|run| run.is_open()).count();
            let trials = standings.iter().filter(|trial| !trial.baseline).count();
            let full = self.max_trials.is_some_and(|limit| standings.len() >= limit);
            let more = !full && wants.is_some_and(|wants| trials < wants);
            // Every open run may still change the verdict on a trial.
            let outlook = if more || open > 0 { Outlook::MoreToCome } else { Outlook::Complete };
            if !more || open >= self.slots {
                return Ok(outlook);
            }
            if !self.extend(store, &standings).await? {
                return match open {
                    0 => Ok(Outlook::Complete),
                    _ => Ok(Outlook::MoreToCome),
                };
            }
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How a trial went, as its search learns from it. A pruned one is as good as its runs were until then.
fn outcome(trial: &TrialStanding) -> PointOutcome {
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

fn course(trial: &TrialStanding) -> TrialProgress {
    let is = |state: RunState| trial.runs.iter().any(|run| run.state == state);
    let state = match () {
        () if trial.baseline => TrialState::Baseline,
        // Nothing is left to save: the rest are the test's numbers.
        () if trial.runs.iter().all(|run| run.value.is_some()) => TrialState::Finished,
        () if trial.runs.iter().any(|run| run.is_open()) => TrialState::Running,
        () if is(RunState::Pruned) => TrialState::Pruned,
        () => TrialState::Finished,
    };
    TrialProgress { values: trial.runs.iter().map(|run| run.value).collect(), state }
}

/// A sweep that another process plans at the same moment is planned again, at most so often.
const PLANNINGS: usize = 10;

/// Plans and writes a sweep, with what its search had added before; again where another process was faster. The inner error says that
/// another file made the sweep.
pub(super) async fn write_plan(
    steering: &mut Steering,
    store: &Store,
    source: &mut PlanSource,
) -> Result<Result<(Plan, PlanOutcome), StoreError>, Failure> {
    for _ in 0..PLANNINGS {
        let before = store.planned_trials(&steering.sweep.name).await?;
        let (generation, before) = before.map_or((None, Vec::new()), |(generation, trials)| (Some(generation), trials));
        let plan = steering.plan(&before)?;
        source.plan = steering.identity(&plan);
        match store.write_plan(&steering.sweep, source, &plan, &steering.artifacts, generation).await {
            Ok(outcome) => {
                steering.id.clone_from(&outcome.sweep);
                return Ok(Ok((plan, outcome)));
            }
            Err(StoreError::Replanned) => {}
            Err(other @ StoreError::OtherFile { .. }) => return Ok(Err(other)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Replanned.into())
}
