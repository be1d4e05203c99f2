//! The table `[decide]`: seeds are added until the answer about each variant is settled.

use crate::evaluate::metrics::{Metric, PIXEL_AUROC, Population};
use crate::settings::{DefaultValue, Field, NamedValue, Value, settings};

settings! {
    /// Add seeds until each variant is better, worse or equivalent.
    pub struct DecideSettings: Copy {
        /// Metric that decides.
        pub metric: Metric = with(metric),
        /// Differences from ST-FPM between −margin and margin count as equivalent.
        pub margin: f64 = number(0.002, 0.0..=1.0),
        /// Probability of any wrong answer, shared out over the variants.
        pub alpha: f64 = number(0.05, 1e-6..=0.5),
        /// Number of seeds after which an open answer stays undecided.
        pub max_seeds: usize = integer(40, 5..=10_000),
    }
}

fn metric(field: Field<'_>) -> Metric {
    let named = |metric: Metric| NamedValue { name: metric.name.into(), about: metric.description.to_owned() };
    let values = || Metric::on(Population::Test).map(|metric| (named(metric), metric)).collect();
    field.one_of(values, DefaultValue::Value(serde_json::json!(PIXEL_AUROC))).unwrap_or(PIXEL_AUROC)
}

impl DecideSettings {
    /// Reads the table, if the file has it. `decide = false` switches it off, for the command line.
    pub(super) fn read_if_given(field: Field<'_>) -> Option<Self> {
        if matches!(field.given(), Some(Value::Bool(false))) {
            field.reader().mark_known("decide");
            return None;
        }
        let given = field.is_given();
        let settings = field.table(());
        given.then_some(settings)
    }
}
