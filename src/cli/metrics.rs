//! Metrics on the command line, by their names.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::evaluate::metrics::Metric;

/// Reads the name of a metric; the help lists all of them with what they say.
pub(super) fn metric_names() -> impl TypedValueParser<Value = Metric> {
    let names = Metric::all().map(|metric| PossibleValue::new(metric.name).help(metric.description));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Metric>())
}
