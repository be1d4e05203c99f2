//! The rows of an export. They are read for some runs at a time, so that only exported runs are read.

use super::row::row;
use super::sql::{list, sql};
use super::{AttemptState, ResultRow, Store, StoreError};
use crate::evaluate::ResultName;
use crate::evaluate::Selection;

row! {
    /// The cost of one attempt at a stage of a run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct CostRow {
        /// Key of the run.
        pub run_id: String,
        /// State of the attempt.
        pub state: AttemptState,
        /// Duration in seconds.
        pub seconds: Option<f64>,
        /// Peak memory of its worker, in bytes.
        pub peak_rss_bytes: Option<i64>,
        /// Further costs, as JSON.
        pub costs: String,
    }
}

impl Store {
    /// Returns the selection and the name of every number of a sweep's runs, sorted by name.
    pub async fn result_names(&self, sweep: &str) -> Result<Vec<(Selection, ResultName)>, StoreError> {
        sql("SELECT DISTINCT x.selection, x.name FROM sweep_runs sr JOIN results x ON x.run_id = sr.run_id
             WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1) ORDER BY x.name, x.selection")
        .bind(sweep)
        .all(self)
        .await
    }

    /// Returns the numbers of some runs, sorted by run, selection and name.
    pub async fn results_of(&self, runs: &[&str]) -> Result<Vec<ResultRow>, StoreError> {
        sql(format!(
            "SELECT r.key AS run_id, x.selection, x.name, x.value, x.reason FROM runs r JOIN results x ON x.run_id = r.id
             WHERE r.key IN ({}) ORDER BY r.key, x.selection, x.name",
            list(1, runs.len())
        ))
        .bind_all(runs.iter().copied())
        .all(self)
        .await
    }

    /// Returns all attempts at the stages of some runs, including stages shared with other runs.
    pub async fn costs_of(&self, runs: &[&str]) -> Result<Vec<CostRow>, StoreError> {
        sql(format!(
            "SELECT r.key AS run_id, a.state, a.seconds, a.peak_rss_bytes, a.costs
             FROM runs r JOIN run_stages rs ON rs.run_id = r.id JOIN attempts a ON a.stage_id = rs.stage_id
             WHERE r.key IN ({}) ORDER BY r.key, rs.position, a.number",
            list(1, runs.len())
        ))
        .bind_all(runs.iter().copied())
        .all(self)
        .await
    }
}
