//! The table `[report]`: what the report compares and shows.

use super::preset::MetricPreset;
use crate::evaluate::metrics::{AUPRO, IMAGE_AUROC, Metric, PIXEL_AUROC};
use crate::settings::{DefaultValue, Field, NamedValue, Value, ValueKind, quoted, settings};

settings! {
    /// What the report compares and shows.
    pub struct ReportSettings {
        /// Axes of `search.space` whose values define a variant, by dotted name.
        pub variants: Vec<String> = with(|field| field.texts().unwrap_or_default()),
        /// Metrics to show, at least one, or the name of a preset; the first is used in the headline. Choose them before you look at results.
        pub metrics: Vec<Metric> = with(metrics),
    }
}

impl ReportSettings {
    /// Default metrics.
    pub const METRICS: [Metric; 3] = [PIXEL_AUROC, IMAGE_AUROC, AUPRO];
}

fn metrics(field: Field<'_>) -> Vec<Metric> {
    let named = |metric: Metric| NamedValue { name: metric.name.into(), about: metric.description.to_owned() };
    let values = || Metric::all().map(|metric| (named(metric), metric)).collect();
    let preset = |preset: &MetricPreset| NamedValue { name: preset.name.into(), about: preset.about.to_owned() };
    let presets = || MetricPreset::ALL.iter().map(preset).collect();
    let kind = || {
        let names = Metric::all().map(named).collect();
        ValueKind::Either(vec![ValueKind::Choice(presets()), ValueKind::List(Box::new(ValueKind::Choice(names)))])
    };
    let default = || DefaultValue::Value(serde_json::json!(ReportSettings::METRICS));
    field.describe(kind, default());
    let chosen = match field.given() {
        Some(Value::Text(name)) => match MetricPreset::named(name) {
            Some(preset) => Some(preset.metrics.to_vec()),
            None => {
                let presets = quoted(&MetricPreset::ALL.map(|preset| preset.name));
                let help = format!("expected {presets}, or a list of metrics such as [\"aupro\"]");
                field.refuse(format!("`{}` is \"{name}\"", field.name()), help);
                None
            }
        },
        _ => field.some_of(values, default()),
    };
    chosen.unwrap_or_else(|| ReportSettings::METRICS.to_vec())
}
