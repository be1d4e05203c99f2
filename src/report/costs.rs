//! What each variant costs: size, arithmetic, time, memory.

use maud::{Markup, html};
use serde_json::Value;

use super::Rows;
use super::grouping::{Groups, Variant};
use super::statistics::summary;
use super::text::{count, duration, percent};
use crate::store::StageRow;

/// Means over the finished runs of one variant; none where nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Costs {
    /// Trained values.
    pub parameters: Option<f64>,
    /// Forward floating-point operations an image.
    pub flops: Option<f64>,
    /// Seconds of the pretrain stage.
    pub pretrain: Option<f64>,
    /// Seconds of the whole training: pretraining, where there is one, and the joint stage.
    pub training: Option<f64>,
    /// Seconds an epoch of joint training.
    pub epoch: Option<f64>,
    /// Milliseconds of one image's prediction and distances, images and teacher features in memory.
    pub forward: Option<f64>,
    /// Milliseconds of scoring an image, teacher features given; reading included.
    pub score: Option<f64>,
    /// Highest resident memory of any stage, bytes.
    pub peak: Option<f64>,
    /// Highest memory of a GPU in use by any stage, bytes.
    pub gpu_peak: Option<f64>,
}

impl Costs {
    pub(super) fn of(rows: &Rows, groups: &Groups<'_>, variant: &Variant) -> Self {
        let runs: Vec<_> = groups.of_variant(variant).collect();
        let mean = |values: Vec<f64>| summary(&values).map(|summary| summary.mean);
        let result = |name| mean(runs.iter().filter_map(|run| groups.value(run, "selected", name)).collect());
        let stages: Vec<&StageRow> = runs.iter().flat_map(|run| rows.stages_of(&run.id)).collect();
        let kind = |kind: &'static str| stages.iter().filter(move |stage| stage.kind == kind);
        let cost = |stage: &StageRow, name: &str| -> Option<f64> {
            serde_json::from_str::<Value>(stage.costs.as_deref()?).ok()?.get(name)?.as_f64()
        };
        let seconds = |name| mean(kind(name).filter_map(|stage| stage.seconds).collect());
        let pretrain = seconds("pretrain");
        let peaks = stages.iter().filter_map(|stage| stage.peak_rss_bytes).map(|bytes| bytes as f64);
        Self {
            parameters: result("parameters"),
            flops: result("flops"),
            pretrain,
            training: seconds("joint").map(|joint| joint + pretrain.unwrap_or(0.0)),
            epoch: mean(kind("joint").filter_map(|stage| cost(stage, "seconds_per_epoch")).collect()),
            forward: mean(kind("score").filter_map(|stage| cost(stage, "forward_milliseconds_per_image")).collect()),
            score: mean(kind("score").filter_map(|stage| cost(stage, "milliseconds_per_image")).collect()),
            peak: peaks.reduce(f64::max),
            gpu_peak: stages.iter().filter_map(|stage| cost(stage, "device_peak_bytes")).reduce(f64::max),
        }
    }

    /// "+35 % parameters, +20 % time an epoch": what it costs more than the baseline.
    pub(super) fn against(&self, baseline: &Self) -> Option<String> {
        let more = |ours: Option<f64>, theirs: Option<f64>, what: &str| {
            Some(format!("{} {what}", percent(ours?, theirs.filter(|value| *value > 0.0)?)))
        };
        let parts: Vec<String> = [
            more(self.parameters, baseline.parameters, "parameters"),
            more(self.flops, baseline.flops, "arithmetic an image"),
            more(self.epoch, baseline.epoch, "time an epoch"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The table of costs.
pub(super) fn table(rows: &Rows, groups: &Groups<'_>) -> Markup {
    let show = |value: Option<f64>, text: &dyn Fn(f64) -> String| value.map_or_else(|| "–".to_owned(), text);
    let devices: std::collections::BTreeSet<&str> =
        rows.stages.iter().filter_map(|stage| stage.device.as_deref()).collect();
    let megabytes = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    let all: Vec<(&Variant, Costs)> =
        groups.variants.iter().map(|variant| (variant, Costs::of(rows, groups, variant))).collect();
    let on_gpus = all.iter().any(|(_, costs)| costs.gpu_peak.is_some());
    html! {
        h3 { (groups.marked("Cost")) }
        div.scroll { table {
            thead { tr {
                th { "variant" } th { "parameters" } th { "FLOP an image" } th { "pretraining" } th { "joint, an epoch" }
                th { "forward, an image" } th { "scoring an image" } th { "peak memory" } @if on_gpus { th { "peak GPU memory" } }
            } }
            tbody { @for (variant, costs) in &all {
                tr.baseline[variant.baseline] {
                    td { (variant.label) }
                    td { (show(costs.parameters, &count)) }
                    td { (show(costs.flops, &count)) }
                    td { (show(costs.pretrain, &duration)) }
                    td { (show(costs.epoch, &duration)) }
                    td { (show(costs.forward, &|ms| format!("{ms:.1} ms"))) }
                    td { (show(costs.score, &|ms| format!("{ms:.1} ms"))) }
                    td { (show(costs.peak, &megabytes)) }
                    @if on_gpus { td { (show(costs.gpu_peak, &megabytes)) } }
                }
            } }
        } }
        p.quiet {
            "Means over runs, peak memory the highest of any stage; measured on "
            (devices.into_iter().collect::<Vec<_>>().join(", ")) ". Teacher features are computed once per category and not counted."
        }
    }
}
