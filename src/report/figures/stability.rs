//! How far seeds of one variant lie apart.

use super::dots::{Dots, Mark, Row, Shape};
use crate::report::ReportError;
use crate::report::figure::{Figure, MAX_DRAWN, left_out, series};
use crate::report::grouping::{Groups, METRICS, Variant};
use crate::report::statistics::summary;

/// Each run's distance from the mean of its variant and category, and ± their standard deviation; none where no cell has two seeds.
pub(in crate::report) fn seeds(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let distances = |variant: &Variant, name: &str| -> Vec<f64> {
        let of_category = |category: &str| {
            let values: Vec<f64> =
                groups.cell(variant, category, "selected", name).into_iter().map(|(_, v)| v).collect();
            let mean = summary(&values).map_or(0.0, |summary| summary.mean);
            let several = values.len() > 1;
            values.into_iter().filter(move |_| several).map(move |value| value - mean).collect::<Vec<_>>()
        };
        groups.categories.iter().flat_map(|(category, _)| of_category(category)).collect()
    };
    let marks = |variant: &Variant, name: &str| -> Vec<Mark> {
        let values = distances(variant, name);
        let deviation = summary(&values).and_then(|summary| summary.deviation);
        let spread = deviation.map(|d| Mark { value: 0.0, interval: Some((-d, d)), shape: Shape::Speck });
        spread.into_iter().chain(values.into_iter().map(|value| Mark::new(value, Shape::Ring))).collect()
    };
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| Row {
        label: variant.label.clone(),
        colour: series(index),
        marks: METRICS.iter().map(|(name, _)| marks(variant, name)).collect(),
    });
    let title =
        format!("spread over seeds: distance from the mean of variant and category{}", left_out(groups.variants.len()));
    Dots { title, reference: Some(0.0), rows: rows.collect() }.figure(
        groups,
        format!("{prefix}stability"),
        "Each run's distance from the mean over seeds, with ± one standard deviation",
    )
}
