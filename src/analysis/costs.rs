//! Costs of each variant: size, arithmetic, time and memory.

use serde_json::Value;

use super::grouping::{Groups, Variant};
use super::rows::Rows;
use crate::evaluate::{Fact, Selection};
use crate::stages::StageKind;
use crate::statistics::summary;
use crate::store::StageRow;
use crate::text::percent;

/// Means over the finished runs of one variant; a field is `None` if nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Costs {
    /// Number of trained parameters.
    pub parameters: Option<f64>,
    /// Floating-point operations of the forward pass per image.
    pub flops: Option<f64>,
    /// Seconds that the pretrain stage takes.
    pub pretrain: Option<f64>,
    /// Seconds of the whole training: the pretrain stage, if there is one, plus the joint stage.
    pub training: Option<f64>,
    /// Seconds per epoch of joint training.
    pub epoch: Option<f64>,
    /// Milliseconds per image for prediction and distances; images and teacher features are already in memory.
    pub forward: Option<f64>,
    /// Milliseconds per image for scoring, with given teacher features; includes reading.
    pub score: Option<f64>,
    /// Highest resident memory of any stage, in bytes.
    pub peak: Option<f64>,
    /// Highest GPU memory used by any stage, in bytes.
    pub gpu_peak: Option<f64>,
}

impl Costs {
    /// Returns the costs of each variant.
    pub(crate) fn of_variants(rows: &Rows, groups: &Groups<'_>) -> Vec<Self> {
        groups.variants.iter().map(|variant| Self::of(rows, groups, variant)).collect()
    }

    fn of(rows: &Rows, groups: &Groups<'_>, variant: &Variant) -> Self {
        let runs: Vec<_> = groups.of_variant(variant).collect();
        let mean = |values: Vec<f64>| summary(&values).map(|summary| summary.mean);
        let result = |name| mean(runs.iter().filter_map(|run| groups.value(run, Selection::Selected, name)).collect());
        let costs = |stage: &StageRow| serde_json::from_str::<Value>(stage.costs.as_deref()?).ok();
        let stages: Vec<(&StageRow, Option<Value>)> =
            runs.iter().flat_map(|run| rows.stages_of(&run.id)).map(|stage| (stage, costs(stage))).collect();
        let of_kind = |kind: StageKind| stages.iter().filter(move |(stage, _)| stage.kind == kind);
        let cost = |(_, costs): &(_, Option<Value>), name: &str| costs.as_ref()?.get(name)?.as_f64();
        // Stages that ran on idle cores of other workers were faster. They count only if there are no others.
        let alike = |kind| -> Vec<&(&StageRow, Option<Value>)> {
            let (faster, usual): (Vec<_>, Vec<_>) = of_kind(kind).partition(|stage| cost(stage, "threads").is_some());
            if usual.is_empty() { faster } else { usual }
        };
        let seconds = |kind| mean(alike(kind).into_iter().filter_map(|(stage, _)| stage.seconds).collect());
        let pretrain = seconds(StageKind::Pretrain);
        let peaks = stages.iter().filter_map(|(stage, _)| stage.peak_rss_bytes).map(|bytes| bytes as f64);
        Self {
            parameters: result(Fact::Parameters),
            flops: result(Fact::Flops),
            pretrain,
            training: seconds(StageKind::Joint).map(|joint| joint + pretrain.unwrap_or(0.0)),
            epoch: mean(
                alike(StageKind::Joint).into_iter().filter_map(|stage| cost(stage, "seconds_per_epoch")).collect(),
            ),
            forward: mean(
                of_kind(StageKind::Score).filter_map(|stage| cost(stage, "forward_milliseconds_per_image")).collect(),
            ),
            score: mean(of_kind(StageKind::Score).filter_map(|stage| cost(stage, "milliseconds_per_image")).collect()),
            peak: peaks.reduce(f64::max),
            gpu_peak: stages.iter().filter_map(|stage| cost(stage, "device_peak_bytes")).reduce(f64::max),
        }
    }

    /// Describes the costs relative to the baseline: "+35 % parameters, +20 % time per epoch".
    pub(crate) fn relative_to(&self, baseline: &Self) -> Option<String> {
        let relative = |ours: Option<f64>, theirs: Option<f64>, what: &str| {
            Some(format!("{} {what}", percent(ours?, theirs.filter(|value| *value > 0.0)?)))
        };
        let parts: Vec<String> = [
            relative(self.parameters, baseline.parameters, "parameters"),
            relative(self.flops, baseline.flops, "FLOP per image"),
            relative(self.epoch, baseline.epoch, "time per epoch"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
