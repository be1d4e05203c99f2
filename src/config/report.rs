//! The table `[report]`: what the report compares and shows.

use crate::evaluate::metrics::{AUPRO, IMAGE_AUROC, Metric, PIXEL_AUROC};
use crate::settings::{DefaultValue, Field, NamedValue, settings};

settings! {
    /// What the report compares and shows.
    pub struct ReportSettings {
        /// Axes of `search.space` whose values define a variant, by dotted name.
        pub variants: Vec<String> = with(|field| field.texts().unwrap_or_default()),
        /// Metrics to show, at least one; the first is used in the headline. Choose them before you look at results.
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
    let default = DefaultValue::Value(serde_json::json!(ReportSettings::METRICS));
    field.some_of(values, default).unwrap_or_else(|| ReportSettings::METRICS.to_vec())
}
