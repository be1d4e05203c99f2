//! The trials of a search and their values.

use super::row::row;
use super::sql::sql;
use super::state::SHOWN_STATE;
use super::{RunState, Store, StoreError};
use crate::config::BASELINE;
use crate::evaluate::metrics::{Metric, Population};
use crate::stages::StageKind;

/// A run of a trial, as the search sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRun {
    /// Key of the run.
    pub id: String,
    /// Category of the run.
    pub category: String,
    /// Seed of the run.
    pub seed: i64,
    /// State of the run.
    pub state: RunState,
    /// Value of the objective, if it is known.
    pub value: Option<f64>,
}

impl SearchTrial {
    /// Returns whether the search drew it. Otherwise it is ST-FPM: the re-run baseline, or ST-FPM at a point of the search.
    pub fn is_searched(&self) -> bool {
        !self.baseline && self.variant != BASELINE
    }

    /// Returns the trial without the runs of other seeds.
    #[must_use]
    pub fn on_seeds(mut self, seeds: &[u64]) -> Self {
        self.runs.retain(|run| seeds.contains(&(run.seed as u64)));
        self
    }
}

impl SearchRun {
    /// Returns whether the run can still produce a value.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

/// A trial of a sweep, as the search sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchTrial {
    /// Key of the trial.
    pub id: String,
    /// The point at which it was drawn, as JSON.
    pub axes: String,
    /// Short id and settings.
    pub title: String,
    /// Label of its variant.
    pub variant: String,
    /// Whether it is the re-run baseline.
    pub baseline: bool,
    /// Runs of the trial, in the order of the sweep: by seed, then by category.
    pub runs: Vec<SearchRun>,
}

row! {
    struct SearchRow {
        trial: String,
        axes: String,
        title: String,
        variant: String,
        baseline: bool,
        run: String,
        category: String,
        seed: i64,
        state: RunState,
        is_measured: bool,
        value: Option<f64>,
    }
}

/// Returns the kind of stage that measures a metric.
fn measuring(metric: Metric) -> StageKind {
    match metric.population {
        Population::Painted => StageKind::Pseudo,
        Population::Test => StageKind::Evaluate,
    }
}

impl Store {
    /// Returns the trials of a sweep in order. Each run has the value of a metric at the selected epoch. A run whose numbers are not copied
    /// yet is still running.
    pub async fn search_trials(&self, sweep: &str, metric: Metric) -> Result<Vec<SearchTrial>, StoreError> {
        self.read_search_trials("w.key = $2", sweep, metric).await
    }

    /// Returns the trials of all other sweeps that searched settings, without baselines.
    pub async fn other_search_trials(&self, sweep: &str, metric: Metric) -> Result<Vec<SearchTrial>, StoreError> {
        self.read_search_trials("w.key <> $2 AND st.baseline = 0 AND st.axes <> '{}'", sweep, metric).await
    }

    /// Returns the protocols of a trial's runs in a sweep, by category, as JSON.
    pub async fn protocols_of(&self, sweep: &str, trial: &str) -> Result<Vec<(String, String)>, StoreError> {
        sql("SELECT DISTINCT r.category, p.content FROM sweeps w JOIN sweep_runs sr ON sr.sweep_id = w.id
             JOIN runs r ON r.id = sr.run_id JOIN trials t ON t.id = r.trial_id JOIN protocols p ON p.id = r.protocol_id
             WHERE w.key = $1 AND t.key = $2 ORDER BY r.category")
        .bind(sweep)
        .bind(trial)
        .all(self)
        .await
    }

    async fn read_search_trials(
        &self,
        condition: &str,
        sweep: &str,
        metric: Metric,
    ) -> Result<Vec<SearchTrial>, StoreError> {
        let rows: Vec<SearchRow> = sql(format!(
            "SELECT t.key AS trial, COALESCE(st.point, st.axes) AS axes, st.title, st.variant, st.baseline, r.key AS run,
                    r.category, r.seed, {SHOWN_STATE} AS state,
                    EXISTS (SELECT 1 FROM results m WHERE m.run_id = r.id AND m.selection = 'selected' AND m.name = $3)
                    OR NOT EXISTS (SELECT 1 FROM run_stages rs JOIN stages s ON s.id = rs.stage_id
                                   WHERE rs.run_id = r.id AND s.kind = $4) AS is_measured,
                    x.value
             FROM sweeps w JOIN sweep_trials st ON st.sweep_id = w.id JOIN trials t ON t.id = st.trial_id
             JOIN runs r ON r.trial_id = t.id JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = w.id
             LEFT JOIN results x ON x.run_id = r.id AND x.selection = 'selected' AND x.name = $1
             WHERE {condition} ORDER BY w.key, st.position, sr.position"
        ))
        .bind(metric.name)
        .bind(sweep)
        .bind(measuring(metric).results().map(|name| name.to_string()))
        .bind(measuring(metric).name())
        .all(self)
        .await?;
        let mut trials: Vec<SearchTrial> = Vec::new();
        for SearchRow { trial, axes, title, variant, baseline, run, category, seed, state, is_measured, value } in rows
        {
            // The last stage of a run and its numbers are written in two transactions.
            let state = if state == RunState::Done && !is_measured { RunState::Running } else { state };
            if trials.last().is_none_or(|last| last.id != trial) {
                trials.push(SearchTrial { id: trial, axes, title, variant, baseline, runs: Vec::new() });
            }
            if let Some(last) = trials.last_mut() {
                last.runs.push(SearchRun { id: run, category, seed, state, value });
            }
        }
        Ok(trials)
    }
}
