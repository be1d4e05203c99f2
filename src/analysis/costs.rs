//! Costs of each variant: size, arithmetic, time and memory.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

use super::grouping::{Groups, Variant};
use super::rows::Rows;
use crate::evaluate::{Fact, Selection};
use crate::stages::{Key, StageKind};
use crate::statistics::{Quartiles, quartiles, summary};
use crate::store::{RunRow, StageRow};
use crate::text::percent;

/// Costs over the finished runs of one variant; a field is `None` if nothing was measured. Times are those of stages that ran alone on their
/// machine, in one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Costs {
    /// Number of trained parameters.
    pub parameters: Option<f64>,
    /// Floating-point operations of the forward pass per image.
    pub flops: Option<f64>,
    /// Seconds that the pretrain stage takes.
    pub pretrain: Option<Quartiles>,
    /// Seconds of the whole training of a run: the pretrain stage, if there is one, plus the joint stage.
    pub training: Option<Quartiles>,
    /// Seconds per epoch of joint training.
    pub epoch: Option<Quartiles>,
    /// Milliseconds per image for prediction and distances; images and teacher features are already in memory.
    pub forward: Option<Quartiles>,
    /// Milliseconds per image for scoring, with given teacher features; includes reading.
    pub score: Option<Quartiles>,
    /// Highest resident memory of any stage, in bytes.
    pub peak: Option<f64>,
    /// Highest GPU memory used by any stage, in bytes.
    pub gpu_peak: Option<f64>,
}

/// The stages that train.
const TRAINING: [StageKind; 2] = [StageKind::Pretrain, StageKind::Joint];

/// A stage of a variant with its measured costs, as JSON.
struct MeasuredStage<'r> {
    row: &'r StageRow,
    costs: Value,
}

impl MeasuredStage<'_> {
    fn cost(&self, name: &str) -> Option<f64> {
        self.costs.get(name)?.as_f64()
    }
}

impl Costs {
    /// Returns the costs of each variant.
    pub(crate) fn of_variants(rows: &Rows, groups: &Groups<'_>) -> Vec<Self> {
        groups.variants.par_iter().map(|variant| Self::of(rows, groups, variant)).collect()
    }

    fn of(rows: &Rows, groups: &Groups<'_>, variant: &Variant) -> Self {
        let runs: Vec<_> = groups.of_variant(variant).collect();
        let result = |name| {
            let values: Vec<f64> = runs.iter().filter_map(|run| groups.value(run, Selection::Selected, name)).collect();
            summary(&values).map(|summary| summary.mean)
        };
        // Runs share stages, and a stage counts once.
        let all: BTreeMap<&Key, &StageRow> =
            runs.iter().flat_map(|run| rows.stages_of(&run.id)).map(|stage| (&stage.id, stage)).collect();
        let parsed = |stage: &StageRow| serde_json::from_str(stage.costs.as_deref()?).ok();
        let stages: Vec<MeasuredStage<'_>> =
            all.into_values().map(|row| MeasuredStage { row, costs: parsed(row).unwrap_or_default() }).collect();
        let alone =
            |kind: StageKind| stages.iter().filter(move |stage| stage.row.kind == kind && rows.ran_alone(stage.row));
        // Stages that ran on idle cores of other workers were faster. They count only if there are no others.
        let alike = |kind| -> Vec<&MeasuredStage<'_>> {
            let (faster, usual): (Vec<_>, Vec<_>) = alone(kind).partition(|stage| stage.cost("threads").is_some());
            if usual.is_empty() { faster } else { usual }
        };
        let seconds: BTreeMap<&Key, f64> = TRAINING
            .into_iter()
            .flat_map(alike)
            .filter_map(|stage| Some((&stage.row.id, stage.row.seconds?)))
            .collect();
        let training = |run: &&RunRow| {
            let trained = rows.stages_of(&run.id).filter(|stage| TRAINING.contains(&stage.kind));
            let times: Vec<f64> = trained.map(|stage| seconds.get(&stage.id).copied()).collect::<Option<_>>()?;
            (!times.is_empty()).then(|| times.iter().sum::<f64>())
        };
        let times = |values: Vec<f64>| quartiles(&values);
        let measured = |kind, name| times(alike(kind).into_iter().filter_map(|stage| stage.cost(name)).collect());
        Self {
            parameters: result(Fact::Parameters),
            flops: result(Fact::Flops),
            pretrain: times(alike(StageKind::Pretrain).into_iter().filter_map(|stage| stage.row.seconds).collect()),
            training: times(runs.iter().filter_map(training).collect()),
            epoch: measured(StageKind::Joint, "seconds_per_epoch"),
            forward: measured(StageKind::Score, "forward_milliseconds_per_image"),
            score: measured(StageKind::Score, "milliseconds_per_image"),
            peak: stages.iter().filter_map(|stage| stage.row.peak_rss_bytes).max().map(|bytes| bytes as f64),
            gpu_peak: stages.iter().filter_map(|stage| stage.cost("device_peak_bytes")).reduce(f64::max),
        }
    }

    /// Describes the costs relative to the baseline: "+35 % parameters, +20 % time per epoch".
    pub(crate) fn relative_to(&self, baseline: &Self) -> Option<String> {
        let relative = |ours: Option<f64>, theirs: Option<f64>, what: &str| {
            Some(format!("{} {what}", percent(ours?, theirs.filter(|value| *value > 0.0)?)))
        };
        let median = |times: Option<Quartiles>| times.map(|times| times.median);
        let parts: Vec<String> = [
            relative(self.parameters, baseline.parameters, "parameters"),
            relative(self.flops, baseline.flops, "FLOP per image"),
            relative(median(self.epoch), median(baseline.epoch), "time per epoch"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
