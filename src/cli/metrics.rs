//! Names of metrics on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::evaluate::metrics::Metric;

/// Returns a parser for names of metrics; the help lists all metrics with their descriptions.
pub(super) fn metric_names() -> impl TypedValueParser<Value = Metric> {
    let names = Metric::all().map(|metric| PossibleValue::new(metric.name).help(metric.description));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Metric>())
}
