//! The table `[report]`: what the report compares and shows.

use crate::evaluate::metrics::{AUPRO, IMAGE_AUROC, Metric, PIXEL_AUROC};
use crate::settings::{Field, NamedValue, Usual, settings};

settings! {
    /// What the report compares and shows.
    pub struct ReportSettings {
        /// Axes of `search.space` whose values make a variant, by their dotted names.
        pub variants: Vec<String> = with(|field| field.texts().unwrap_or_default()),
        /// Metrics to show, at least one; the first is that of the headline. Choose them before you look at results.
        pub metrics: Vec<Metric> = with(metrics),
    }
}

impl ReportSettings {
    /// The metrics that are shown unless others are asked for.
    pub const METRICS: [Metric; 3] = [PIXEL_AUROC, IMAGE_AUROC, AUPRO];
}

fn metrics(field: Field<'_>) -> Vec<Metric> {
    let named = |metric: Metric| NamedValue { name: metric.name.into(), about: metric.description.to_owned() };
    let values = || Metric::all().map(|metric| (named(metric), metric)).collect();
    let usual = serde_json::json!(ReportSettings::METRICS);
    field.some_of(values, Usual::Value(usual)).unwrap_or_else(|| ReportSettings::METRICS.to_vec())
}
