//! Names of metrics and of presets on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::config::MetricPreset;
use crate::evaluate::metrics::{Metric, UnknownMetric};

/// The metrics of one name.
#[derive(Debug, Clone)]
pub(super) struct NamedMetrics(Vec<Metric>);

/// Returns a parser for names of metrics and of presets; the help lists all of them with their descriptions.
pub(super) fn metric_names() -> impl TypedValueParser<Value = NamedMetrics> {
    let presets = MetricPreset::ALL.into_iter().map(|preset| PossibleValue::new(preset.name).help(preset.about));
    let names = Metric::all().map(|metric| PossibleValue::new(metric.name).help(metric.description));
    PossibleValuesParser::new(presets.chain(names)).try_map(|name| match MetricPreset::named(&name) {
        Some(preset) => Ok::<_, UnknownMetric>(NamedMetrics(preset.metrics.to_vec())),
        None => Ok(NamedMetrics(vec![name.parse()?])),
    })
}

/// Returns the metrics of all names in their order, each once.
pub(super) fn metrics_of(names: &[NamedMetrics]) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for metric in names.iter().flat_map(|NamedMetrics(metrics)| metrics) {
        if !metrics.contains(metric) {
            metrics.push(*metric);
        }
    }
    metrics
}
