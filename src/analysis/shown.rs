//! Chooses the metrics that a report or a comparison shows.

use serde_json::Value;

use crate::config::ReportSettings;
use crate::evaluate::metrics::Metric;
use crate::store::SweepRow;

/// Returns the metrics that the user asked for; if none, those that the sweep file chooses.
pub fn shown_metrics(sweep: &SweepRow, asked: &[Metric]) -> Vec<Metric> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let resolved: Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
    let chosen: Option<Vec<Metric>> = serde_json::from_value(resolved["report"]["metrics"].clone()).ok();
    chosen.filter(|metrics| !metrics.is_empty()).unwrap_or_else(|| ReportSettings::METRICS.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::{AUPRO, IMAGE_AUROC};

    #[test]
    fn the_command_line_overrides_the_file_and_the_file_overrides_the_default() {
        let sweep = |resolved: &str| SweepRow {
            id: "s".into(),
            name: "s".into(),
            question: None,
            file: None,
            folder: None,
            overrides: "[]".to_owned(),
            source: String::new(),
            resolved: resolved.into(),
        };
        let file = sweep(r#"{ "report": { "metrics": ["aupro", "image_auroc"] } }"#);
        assert_eq!(shown_metrics(&file, &[IMAGE_AUROC]), [IMAGE_AUROC]);
        assert_eq!(shown_metrics(&file, &[]), [AUPRO, IMAGE_AUROC]);
        for none in
            ["{}", r#"{ "report": { "metrics": [] } }"#, r#"{ "report": { "metrics": ["of a later didact"] } }"#]
        {
            assert_eq!(shown_metrics(&sweep(none), &[]), ReportSettings::METRICS);
        }
    }
}
