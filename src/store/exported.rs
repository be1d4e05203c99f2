//! The rows of an export. They are read for some runs at a time, so that only exported runs are read.

use super::placeholders::placeholders;
use super::row::row;
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
        Ok(sqlx::query_as(
            "SELECT DISTINCT x.selection, x.name FROM sweep_run sr JOIN result x ON x.run_id = sr.run_id
             WHERE sr.sweep_id = ? ORDER BY x.name, x.selection",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns the numbers of some runs, sorted by run, selection and name.
    pub async fn results_of(&self, runs: &[&str]) -> Result<Vec<ResultRow>, StoreError> {
        let query = format!(
            "SELECT run_id, selection, name, value, reason FROM result WHERE run_id IN ({}) ORDER BY run_id, selection, name",
            placeholders(runs)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query));
        Ok(runs.iter().fold(query, |query, run| query.bind(*run)).fetch_all(&self.pool).await?)
    }

    /// Returns all attempts at the stages of some runs, including stages shared with other runs.
    pub async fn costs_of(&self, runs: &[&str]) -> Result<Vec<CostRow>, StoreError> {
        let query = format!(
            "SELECT rs.run_id, a.state, a.seconds, a.peak_rss_bytes, a.costs
             FROM run_stage rs JOIN attempt a ON a.stage_id = rs.stage_id
             WHERE rs.run_id IN ({}) ORDER BY rs.run_id, rs.position, a.number",
            placeholders(runs)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query));
        Ok(runs.iter().fold(query, |query, run| query.bind(*run)).fetch_all(&self.pool).await?)
    }
}
