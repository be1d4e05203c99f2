//! The numbers of a sweep in one metric, without anything that only a report needs.

use std::collections::{BTreeMap, HashMap};

use super::row::row;
use super::sql::{list, sql};
use super::{Store, StoreError};
use crate::evaluate::metrics::Metric;

/// A trial of a sweep with its measured runs.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredTrial {
    /// Short id and settings of the trial.
    pub title: String,
    /// Whether it is the re-run baseline.
    pub baseline: bool,
    /// Its runs that have a value, in the order of the sweep.
    pub runs: Vec<MeasuredRun>,
}

/// The value of a run at the selected epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRun {
    /// Category of the run.
    pub category: String,
    /// Seed of the run.
    pub seed: i64,
    /// Row of its protocol; see [`Store::protocols`].
    pub protocol: i64,
    /// The value.
    pub value: f64,
}

row! {
    struct TrialColumns {
        id: i64,
        title: String,
        baseline: bool,
    }
}

row! {
    struct RunColumns {
        trial: i64,
        category: String,
        seed: i64,
        protocol: i64,
        value: f64,
    }
}

impl Store {
    /// Returns the trials of a sweep in order, with their values of a metric.
    pub async fn measured_trials(&self, sweep: &str, metric: Metric) -> Result<Vec<MeasuredTrial>, StoreError> {
        let trials: Vec<TrialColumns> = sql("SELECT st.trial_id AS id, st.title, st.baseline FROM sweep_trials st
             WHERE st.sweep_id = (SELECT id FROM sweeps WHERE key = $1) ORDER BY st.position")
        .bind(sweep)
        .many(self)
        .await?;
        let rows: Vec<RunColumns> = sql(
            "SELECT r.trial_id AS trial, r.category, r.seed, r.protocol_id AS protocol, x.value
             FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id JOIN results x ON x.run_id = r.id
             WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND r.state = 'done' AND x.selection = 'selected'
               AND x.name = $2 AND x.value IS NOT NULL
             ORDER BY sr.position",
        )
        .bind(sweep)
        .bind(metric.name)
        .many(self)
        .await?;
        let mut runs: HashMap<i64, Vec<MeasuredRun>> = HashMap::new();
        for RunColumns { trial, category, seed, protocol, value } in rows {
            runs.entry(trial).or_default().push(MeasuredRun { category, seed, protocol, value });
        }
        let trial = |TrialColumns { id, title, baseline }| MeasuredTrial {
            title,
            baseline,
            runs: runs.remove(&id).unwrap_or_default(),
        };
        Ok(trials.into_iter().map(trial).collect())
    }

    /// Returns the contents of protocols, as JSON, by their rows.
    pub async fn protocols(&self, rows: &[i64]) -> Result<BTreeMap<i64, String>, StoreError> {
        if rows.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found: Vec<(i64, String)> =
            sql(format!("SELECT id, content FROM protocols WHERE id IN ({})", list(1, rows.len())))
                .bind_all(rows.iter().copied())
                .all(self)
                .await?;
        Ok(found.into_iter().collect())
    }
}
