//! All rows that a report is made of, with access by run.

use crate::evaluate::metrics::Metric;
use crate::stages::{Key, StageJob, StageKind, selected_stage};
use crate::store::{ComparedScore, Curve, ResultRow, RunRow, RunStage, StageRow, SweepRow};

/// Rows of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The sweep.
    pub sweep: SweepRow,
    /// The metrics that a report shows, at least one. Figures that show one metric use the first.
    pub metrics: Vec<Metric>,
    /// The sweep's runs.
    pub runs: Vec<RunRow>,
    /// The numbers that a report shows, by run.
    pub results: Vec<ResultRow>,
    /// Scores of the test images, by run.
    pub scores: Vec<ComparedScore>,
    /// The stages of each run, by run.
    pub run_stages: Vec<RunStage>,
    /// Stages and their costs, each once, by key.
    pub stages: Vec<StageRow>,
    /// Curves of the joint stages, for the runs that figures have room for.
    pub curves: Vec<Curve>,
}

impl Rows {
    /// Returns the stages of a run.
    pub(crate) fn stages_of(&self, run: &str) -> impl Iterator<Item = &StageRow> {
        let stage = |row: &RunStage| self.stages.binary_search_by(|stage| stage.id.cmp(&row.stage_id)).ok();
        of_run(&self.run_stages, run, |row| &row.run_id).iter().filter_map(move |row| self.stages.get(stage(row)?))
    }

    /// Returns the stage of this kind that belongs to a run's selected epoch.
    pub(crate) fn selected_stage(&self, run: &str, kind: StageKind) -> Option<(Key, StageJob)> {
        let stages = self.stages_of(run).filter(|stage| stage.kind == kind);
        selected_stage(kind, stages.map(|stage| (stage.id.as_str(), stage.job.as_str())))
    }

    /// Returns the scores of a run.
    pub(crate) fn scores_of(&self, run: &str) -> &[ComparedScore] {
        of_run(&self.scores, run, |score| &score.run_id)
    }
}

/// Returns the rows of one run, from rows that are sorted by run.
fn of_run<'r, R>(rows: &'r [R], run: &str, of: impl Fn(&R) -> &Key) -> &'r [R] {
    let from = rows.partition_point(|row| of(row).as_str() < run);
    let count = rows[from..].partition_point(|row| of(row).as_str() == run);
    &rows[from..from + count]
}
