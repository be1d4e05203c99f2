//! One side of a comparison: the finished runs of one trial, with the data for intervals.

use std::collections::{BTreeMap, BTreeSet};

use super::grouping::{Groups, Variant};
use super::incomparable::Incomparable;
use super::protocol::Protocol;
use super::rows::Rows;
use crate::evaluate::metrics::Metric;
use crate::stages::{Key, StageKind, selected_stage, short_key};
use crate::store::{Artifacts, Compared, ComparedRun, RunRow, RunState};

/// The finished runs of one trial.
#[derive(Debug, Clone)]
pub struct Side {
    /// Key of the trial.
    pub(crate) trial: String,
    /// The trial's name for people.
    pub(crate) label: String,
    pub(crate) runs: Vec<SideRun>,
}

/// A finished run.
#[derive(Debug, Clone)]
pub(crate) struct SideRun {
    pub category: String,
    pub seed: i64,
    pub protocol: Protocol,
    /// Metrics of the selected epoch.
    pub values: BTreeMap<Metric, f64>,
    /// Per image: its name, whether it is defective, its score.
    pub scores: Vec<(String, bool, f64)>,
    /// The artifacts, and the key of its evaluation.
    pub evaluation: Option<(Artifacts, Key)>,
}

impl Side {
    /// Returns the finished runs that `name` matches.
    ///
    /// # Errors
    /// The name matches several trials, or none of its runs is done.
    pub fn of(name: &str, compared: &Compared, artifacts: &Artifacts) -> Result<Self, Incomparable> {
        let trials: BTreeMap<&str, &str> =
            compared.runs.iter().map(|run| (run.trial_id.as_str(), run.variant.as_str())).collect();
        if trials.len() > 1 {
            let trials = trials.iter().map(|(id, variant)| format!("{} ({variant})", short_key(id))).collect();
            return Err(Incomparable::AmbiguousName { name: name.to_owned(), trials });
        }
        let done = compared.runs.iter().filter(|run| run.state == RunState::Done);
        let runs: Vec<SideRun> = done.map(|run| SideRun::of(run, compared, artifacts)).collect();
        match compared.runs.first() {
            Some(run) if !runs.is_empty() => Ok(Self { trial: run.trial_id.clone(), label: run.variant.clone(), runs }),
            _ => Err(Incomparable::NoFinishedRun(name.to_owned())),
        }
    }

    /// Returns the finished runs of a report's variant.
    pub(crate) fn of_variant(rows: &Rows, groups: &Groups<'_>, variant: &Variant, artifacts: &Artifacts) -> Self {
        let run = |run: &RunRow| {
            let evaluation = rows.selected_stage(&run.id, StageKind::Evaluate);
            let scores = rows.scores_of(&run.id).iter();
            SideRun {
                category: run.category.clone(),
                seed: run.seed,
                protocol: groups.protocol(run).clone(),
                values: groups.selected_values(run),
                scores: scores.map(|row| (row.image.clone(), row.label, row.score)).collect(),
                evaluation: evaluation.map(|(key, _)| (artifacts.clone(), key)),
            }
        };
        let done = groups.of_variant(variant).filter(|run| run.state == RunState::Done);
        Self { trial: variant.trial.clone(), label: variant.label.clone(), runs: done.map(run).collect() }
    }

    /// Returns the side with the runs of one category only.
    #[must_use]
    pub fn in_category(&self, category: &str) -> Self {
        let runs = self.runs.iter().filter(|run| run.category == category).cloned().collect();
        Self { trial: self.trial.clone(), label: self.label.clone(), runs }
    }

    /// Returns seeds and values of a category.
    pub(crate) fn values(&self, category: &str, metric: Metric) -> Vec<(i64, f64)> {
        let runs = self.runs.iter().filter(|run| run.category == category);
        runs.filter_map(|run| Some((run.seed, *run.values.get(&metric)?))).collect()
    }

    /// Returns the categories that this side has runs of.
    pub(crate) fn categories(&self) -> BTreeSet<&str> {
        self.runs.iter().map(|run| run.category.as_str()).collect()
    }

    /// Returns the run of a category and seed.
    pub(crate) fn run(&self, category: &str, seed: i64) -> Option<&SideRun> {
        self.runs.iter().find(|run| run.category == category && run.seed == seed)
    }
}

impl SideRun {
    fn of(run: &ComparedRun, compared: &Compared, artifacts: &Artifacts) -> Self {
        let values = compared.values.iter().filter(|row| row.run_id == run.id);
        let scores = compared.scores.iter().filter(|row| row.run_id.as_str() == run.id);
        let stages = compared.stages.iter().filter(|row| row.run_id == run.id);
        let stages = stages.map(|row| (row.stage_id.as_str(), row.job.as_str()));
        Self {
            category: run.category.clone(),
            seed: run.seed,
            protocol: Protocol::of_text(&run.protocol),
            values: values.filter_map(|row| Some((row.name.metric()?, row.value?))).collect(),
            scores: scores.map(|row| (row.image.clone(), row.label, row.score)).collect(),
            evaluation: selected_stage(StageKind::Evaluate, stages).map(|(key, _)| (artifacts.clone(), key)),
        }
    }
}

/// Labels and both sides' scores of the images that both sides scored, for one category and seed.
pub(crate) type PairedScores = (Vec<bool>, Vec<f64>, Vec<f64>);

/// Returns the scores of `one` and of `other` on the same images; `None` if their images differ.
pub(crate) fn paired_scores(one: &Side, other: &Side, category: &str, seed: i64) -> Option<PairedScores> {
    let (one, other) = (one.run(category, seed)?, other.run(category, seed)?);
    let of_other: BTreeMap<&str, f64> = other.scores.iter().map(|(image, _, score)| (image.as_str(), *score)).collect();
    if one.scores.len() != of_other.len() {
        return None;
    }
    let (mut labels, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for (image, label, score) in &one.scores {
        labels.push(*label);
        ours.push(*score);
        theirs.push(*of_other.get(image.as_str())?);
    }
    Some((labels, ours, theirs))
}
