//! Draws the spread between seeds of one variant.

use super::dots::{DotRow, Dots, Mark, Shape};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Groups, MAX_DRAWN, Variant};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, left_out, series};
use crate::statistics::{pooled_deviation, summary};

/// Each run's difference from the mean of its variant and category, and ± the pooled standard deviation of these cells; no figure if no
/// cell has two seeds.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Learning,
    draw: |source| Ok(seeds(source.groups, source.prefix)?.into_iter().collect()),
};

fn seeds(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let cells = |variant: &Variant, metric: Metric| -> Vec<Vec<f64>> {
        let of_category = |(category, _): &(String, _)| -> Vec<f64> {
            groups.cell(variant, category, Selection::Selected, metric).into_iter().map(|(_, value)| value).collect()
        };
        groups.categories.iter().map(of_category).filter(|values| values.len() > 1).collect()
    };
    let marks = |variant: &Variant, metric: Metric| -> Vec<Mark> {
        let cells = cells(variant, metric);
        let spread =
            pooled_deviation(&cells).map(|d| Mark { value: 0.0, interval: Some((-d, d)), shape: Shape::Speck });
        let rings = cells.iter().flat_map(|values| {
            let mean = summary(values).map_or(0.0, |summary| summary.mean);
            values.iter().map(move |value| Mark::new(value - mean, Shape::Ring))
        });
        spread.into_iter().chain(rings).collect()
    };
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| DotRow {
        label: variant.label.clone(),
        colour: series(index),
        marks: groups.metrics.iter().map(|metric| marks(variant, *metric)).collect(),
    });
    let title = format!(
        "spread over seeds: difference from the mean of variant and category{}",
        left_out(groups.variants.len())
    );
    Dots { title, reference: Some(0.0), rows: rows.collect() }.figure(
        groups,
        format!("{prefix}stability"),
        "Each run's difference from the mean over seeds, with ± one standard deviation",
    )
}
