//! How a search stands: its best trial, and what became of the others.

use serde::{Deserialize, Serialize};

use super::{RunState, Store, StoreError};
use crate::config::SearchSettings;
use crate::evaluate::metrics::Metric;

/// The search of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchStatus {
    /// The metric that is maximised.
    pub objective: Metric,
    /// The trial with the highest mean of those that have the value of every run.
    pub best: Option<BestTrial>,
    /// Trials, baselines not counted.
    pub trials: usize,
    /// Those that have the value of every run.
    pub valued: usize,
    /// Those that were stopped.
    pub pruned: usize,
    /// Those of which a run has failed.
    pub failed: usize,
}

/// The best trial of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BestTrial {
    /// Its key.
    pub id: String,
    /// Its id and settings.
    pub trial: String,
    /// The mean of the objective over its runs.
    pub value: f64,
    /// How many these are.
    pub runs: usize,
}

#[derive(Deserialize)]
struct Resolved {
    search: SearchSettings,
}

impl Store {
    /// How a sweep's search stands; none where it has no objective.
    pub(super) async fn search_status(&self, sweep: &str) -> Result<Option<SearchStatus>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT resolved FROM sweep WHERE id = ?").bind(sweep).fetch_optional(&self.pool).await?;
        // What another version has written is no reason not to tell how the runs stand.
        let resolved: Option<Resolved> = row.and_then(|(resolved,)| serde_json::from_str(&resolved).ok());
        let Some(objective) = resolved.and_then(|resolved| resolved.search.objective) else { return Ok(None) };
        let trials = self.trial_standings(sweep, objective.metric()).await?;
        let searched: Vec<_> = trials.iter().filter(|trial| !trial.baseline).collect();
        let valued: Vec<BestTrial> = searched
            .iter()
            .filter_map(|trial| {
                let values: Option<Vec<f64>> = trial.runs.iter().map(|run| run.value).collect();
                let values =
                    values.filter(|values| !values.is_empty() && values.iter().all(|value| value.is_finite()))?;
                Some(BestTrial {
                    id: trial.id.clone(),
                    trial: trial.title.clone(),
                    value: values.iter().sum::<f64>() / values.len() as f64,
                    runs: values.len(),
                })
            })
            .collect();
        let with =
            |state: RunState| searched.iter().filter(|trial| trial.runs.iter().any(|run| run.state == state)).count();
        Ok(Some(SearchStatus {
            objective: objective.metric(),
            trials: searched.len(),
            valued: valued.len(),
            pruned: with(RunState::Pruned),
            failed: with(RunState::Failed),
            // Of equal ones the first.
            best: valued.into_iter().reduce(|best, other| if other.value > best.value { other } else { best }),
        }))
    }
}
