//! The rules that pick an epoch, beside each other: selected on held-out normals, last, and best on test.

use super::dots::{Dots, Mark, Row, Shape};
use crate::report::ReportError;
use crate::report::figure::{About, Figure, MAX_DRAWN, left_out, series};
use crate::report::grouping::{Groups, METRICS, Variant};
use crate::report::statistics::summary;

/// Selection in the store, with its mark.
const RULES: [(&str, Shape); 3] = [("last", Shape::Ring), ("selected", Shape::Dot), ("oracle", Shape::Cross)];

/// Means over categories and seeds; none where no run is done.
pub(in crate::report) fn rules(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let mean = |variant: &Variant, rule: &str, name: &str| -> Option<f64> {
        let categories = groups.common_categories(rule, name);
        let means: Vec<f64> = groups.means(variant, &categories, rule, name).into_iter().map(|(_, v)| v).collect();
        Some(summary(&means)?.mean)
    };
    let marks = |variant: &Variant, name: &str| -> Vec<Mark> {
        RULES.iter().filter_map(|(rule, shape)| Some(Mark::new(mean(variant, rule, name)?, *shape))).collect()
    };
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| Row {
        label: variant.label.clone(),
        colour: series(index),
        marks: METRICS.iter().map(|(name, _)| marks(variant, name)).collect(),
    });
    let rest = left_out(groups.variants.len());
    let title = format!("which epoch: ● selected on held-out normals, ○ last, × best on test (oracle){rest}");
    let title = groups.marked(&title);
    let description = groups.marked("Mean of each variant by the rule that picks the epoch: selected, last, oracle");
    let about = About { name: format!("{prefix}rules"), description, population: groups.population() };
    let panels = METRICS.iter().map(|(_, label)| *label).collect();
    Dots { title: &title, panels, reference: None, rows: rows.collect() }.figure(about)
}
