//! Parts of a sweep that a live view shows one at a time: a page of its runs, the numbers of a run, the curves of some stages.

use serde::Serialize;

use super::row::row;
use super::sql::{list, sql};
use super::state::SHOWN_STATE;
use super::{Curve, ResultRow, RunState, Store, StoreError};

row! {
    /// A run in a list of runs.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct ListedRun {
        /// Key of the run.
        pub id: String,
        /// Short id and settings of its trial.
        pub trial: String,
        /// Category.
        pub category: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// Reason why it failed, was pruned or was cancelled.
        pub reason: Option<String>,
    }
}

/// Which runs a list holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RunFilter {
    /// Only runs in this state.
    pub state: Option<RunState>,
    /// Only runs whose trial, category, reason or key contains this text, whatever the case.
    pub text: String,
    /// Number of runs to skip.
    pub skip: i64,
}

/// Maximum number of runs in one list.
pub const RUNS_PER_PAGE: i64 = 200;

impl Store {
    /// Returns a page of a sweep's runs in the order of the sweep, and the number of all runs that the filter keeps.
    pub async fn listed_runs(&self, sweep: &str, filter: &RunFilter) -> Result<(i64, Vec<ListedRun>), StoreError> {
        let escaped = filter.text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let state = filter.state.map(RunState::name).unwrap_or_default();
        let from = format!(
            "FROM (SELECT r.key AS id, st.title AS trial, r.category, r.seed, {SHOWN_STATE} AS state, r.reason, sr.position
                   FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
                   JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
                   WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)) x
             WHERE ($2 = '' OR x.state = $2)
               AND LOWER(x.trial || ' ' || x.category || ' ' || COALESCE(x.reason, '') || ' ' || x.id) LIKE $3 ESCAPE '\\'"
        );
        let query = |what: String| sql(what).bind(sweep).bind(state).bind(format!("%{escaped}%"));
        let all: i64 = query(format!("SELECT COUNT(*) {from}")).value(self).await?;
        let page = query(format!(
            "SELECT x.id, x.trial, x.category, x.seed, x.state, x.reason {from} ORDER BY x.position LIMIT {RUNS_PER_PAGE} OFFSET {}",
            filter.skip.max(0)
        ));
        Ok((all, page.all(self).await?))
    }

    /// Returns all numbers of a run.
    pub async fn results_of_run(&self, run: &str) -> Result<Vec<ResultRow>, StoreError> {
        sql("SELECT r.key AS run_id, x.selection, x.name, x.value, x.reason FROM runs r JOIN results x ON x.run_id = r.id
             WHERE r.key = $1 ORDER BY x.selection, x.name")
        .bind(run)
        .all(self)
        .await
    }

    /// Returns the curves of these stages so far, sorted by stage, name and epoch.
    pub async fn curves_of_stages(&self, stages: &[String]) -> Result<Vec<Curve>, StoreError> {
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        sql(format!(
            "SELECT s.key AS stage_id, m.name, m.step, m.value FROM stages s JOIN metrics m ON m.stage_id = s.id
             WHERE s.key IN ({}) ORDER BY s.key, m.name, m.step",
            list(1, stages.len())
        ))
        .bind_all(stages)
        .all(self)
        .await
    }
}
