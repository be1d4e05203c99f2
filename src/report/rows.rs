//! Everything that a report is made of, read once.

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
    /// Scores of their test images.
    pub scores: Vec<ComparedScore>,
    /// Their stages and costs.
    pub stages: Vec<StageRow>,
    /// Curves of the joint stages.
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
            curves: store.curve_rows(sweep).await?,
        })
    }
}
