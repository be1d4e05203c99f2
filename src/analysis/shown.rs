//! Which metrics a report or a comparison shows.

use serde_json::Value;

use crate::config::ReportSettings;
use crate::evaluate::metrics::Metric;
use crate::store::SweepRow;

/// The metrics that were asked for; where none were, those that the sweep file chooses.
pub fn shown(sweep: &SweepRow, asked: &[Metric]) -> Vec<Metric> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let resolved: Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
    let chosen: Option<Vec<Metric>> = serde_json::from_value(resolved["report"]["metrics"].clone()).ok();
    chosen.filter(|metrics| !metrics.is_empty()).unwrap_or_else(|| ReportSettings::METRICS.to_vec())
}
