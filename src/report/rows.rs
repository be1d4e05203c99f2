//! Everything that a report is made of, read once.

use super::figure::MAX_DRAWN;
use crate::store::{ComparedScore, Curve, ResultRow, RunRow, StageRow, Store, StoreError, SweepRow};

/// Rows of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The sweep.
    pub sweep: SweepRow,
    /// Its runs.
    pub runs: Vec<RunRow>,
    /// Their numbers.
    pub results: Vec<ResultRow>,
    /// Scores of their test images, by run.
    pub scores: Vec<ComparedScore>,
    /// Their stages and costs, by run.
    pub stages: Vec<StageRow>,
    /// Curves of the joint stages of those that figures have room for.
    pub curves: Vec<Curve>,
}

impl Rows {
    /// Reads the rows of a sweep.
    pub async fn read(store: &Store, sweep: &str) -> Result<Self, StoreError> {
        Ok(Self {
            sweep: store.sweep_row(sweep).await?,
            runs: store.run_rows(sweep).await?,
            results: store.result_rows(sweep).await?,
            scores: store.score_rows(sweep).await?,
            stages: store.stage_rows(sweep).await?,
            curves: store.curve_rows(sweep, MAX_DRAWN).await?,
        })
    }

    /// The stages of a run.
    pub(super) fn stages_of(&self, run: &str) -> &[StageRow] {
        of_run(&self.stages, run, |stage| &stage.run_id)
    }

    /// The scores of a run.
    pub(super) fn scores_of(&self, run: &str) -> &[ComparedScore] {
        of_run(&self.scores, run, |score| &score.run_id)
    }
}

/// The rows of one run, of rows that are sorted by run.
fn of_run<'r, R>(rows: &'r [R], run: &str, of: impl Fn(&R) -> &String) -> &'r [R] {
    let from = rows.partition_point(|row| of(row).as_str() < run);
    let count = rows[from..].partition_point(|row| of(row) == run);
    &rows[from..from + count]
}
