//! All rows that a report is made of, with access by run.

use std::collections::{HashMap, HashSet};

use super::contention::Attempts;
use super::kinds::Kinds;
use super::lighting::Lightings;
use super::tuned::Tuned;
use crate::evaluate::metrics::Metric;
use crate::stages::{Key, StageJob, StageKind, selected_stage};
use crate::store::{ComparedScore, Curve, ResultRow, RunRow, StageRow, SweepRow};

/// Rows of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The sweep.
    pub sweep: SweepRow,
    /// The metrics that a report shows, at least one. Figures that show one metric use the first.
    pub metrics: Vec<Metric>,
    /// The sweep's runs on the seeds of its file.
    pub runs: Vec<RunRow>,
    /// What was chosen, and what is known about it; `None` if the sweep chooses no trial.
    pub tuned: Option<Tuned>,
    /// Runs of the chosen trials on the seeds of their comparison.
    pub compared: Vec<RunRow>,
    /// The numbers that a report shows, by run.
    pub results: Vec<ResultRow>,
    /// Scores of the test images of each run.
    pub scores: HashMap<Key, Vec<ComparedScore>>,
    /// Stages and their costs, each once.
    pub stages: Vec<StageRow>,
    /// The stages of each run in the order of execution, as indices into `stages`.
    pub run_stages: HashMap<Key, Vec<usize>>,
    /// Whether a worker computes the sweep now, as far as the store and this machine know.
    pub working: bool,
    /// The attempts of all stages.
    pub attempts: Attempts,
    /// Curves of the joint stages, for the runs that figures have room for.
    pub curves: Vec<Curve>,
    /// What was measured under which lightings of the test images.
    pub lightings: Lightings,
    /// What was measured on which kinds of defects, for the runs that figures have room for.
    pub kinds: Kinds,
}

impl Rows {
    /// Returns all runs, those on the seeds of a comparison included, each once.
    pub(crate) fn all_runs(&self) -> impl Iterator<Item = &RunRow> {
        let known: HashSet<&str> = self.runs.iter().map(|run| run.id.as_str()).collect();
        self.runs.iter().chain(self.compared.iter().filter(move |run| !known.contains(run.id.as_str())))
    }

    /// Returns the stages of a run.
    pub(crate) fn stages_of(&self, run: &str) -> impl Iterator<Item = &StageRow> {
        self.run_stages.get(run).into_iter().flatten().filter_map(|stage| self.stages.get(*stage))
    }

    /// Returns the stage of this kind that belongs to a run's selected epoch.
    pub(crate) fn selected_stage(&self, run: &str, kind: StageKind) -> Option<(Key, StageJob)> {
        let stages = self.stages_of(run).filter(|stage| stage.kind == kind);
        selected_stage(kind, stages.map(|stage| (stage.id.as_str(), stage.job.as_str())))
    }

    /// Returns the scores of a run.
    pub(crate) fn scores_of(&self, run: &str) -> &[ComparedScore] {
        self.scores.get(run).map_or(&[], Vec::as_slice)
    }
}
