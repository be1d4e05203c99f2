//! Progress of a search: its best trial, and the states of the other trials.

use serde::{Deserialize, Serialize};

use super::sql::sql;
use super::{RunState, SearchTrial, Store, StoreError};
use crate::config::SearchSettings;
use crate::evaluate::metrics::Metric;

/// Progress of a sweep's search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchStatus {
    /// The metric that is maximised.
    pub objective: Metric,
    /// The trial with the highest mean, among those in which every run has a value.
    pub best: Option<BestTrial>,
    /// Number of trials, without baselines.
    pub trials: usize,
    /// Number of trials in which every run has a value.
    pub valued: usize,
    /// Number of trials that the search pruned.
    pub pruned: usize,
    /// Number of trials in which a run failed.
    pub failed: usize,
}

/// The best trial of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BestTrial {
    /// Key of the trial.
    pub id: String,
    /// Short id and settings of the trial.
    pub trial: String,
    /// Mean of the objective over its runs.
    pub value: f64,
    /// Number of these runs.
    pub runs: usize,
}

#[derive(Deserialize)]
struct ResolvedSettings {
    search: SearchSettings,
}

impl Store {
    /// Returns the progress of a sweep's search. Returns `None` if the sweep has no objective.
    pub(super) async fn search_status(&self, sweep: &str) -> Result<Option<SearchStatus>, StoreError> {
        let row: Option<(String,)> =
            sql("SELECT resolved FROM sweeps WHERE key = $1").bind(sweep).optional(self).await?;
        // If another version wrote settings that cannot be parsed, the status still shows the runs.
        let resolved: Option<ResolvedSettings> = row.and_then(|(resolved,)| serde_json::from_str(&resolved).ok());
        let Some(search) = resolved.map(|resolved| resolved.search) else { return Ok(None) };
        let Some(objective) = search.objective else { return Ok(None) };
        let trials = self.search_trials(sweep, objective.metric()).await?;
        let searched: Vec<_> =
            trials.into_iter().filter(SearchTrial::is_searched).map(|trial| trial.on_seeds(&search.seeds)).collect();
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
            // Of several trials with equal values, the first one wins.
            best: valued.into_iter().reduce(|best, other| if other.value > best.value { other } else { best }),
        }))
    }
}
