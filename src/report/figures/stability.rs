//! Draws the spread between seeds of one variant.

use super::dots::{DotRow, Dots, Mark, Shape};
use super::palette::Palette;
use super::representative::{representative, run_of};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Groups, MAX_DRAWN, Variant};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};
use crate::statistics::{pooled_deviation, summary};
use crate::text::signed;

/// Each run's difference from the mean of its variant and category, and ± the pooled standard deviation of these cells; no figure if no
/// cell has two seeds.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Learning,
    draw: |source| Ok(seeds(source.groups, source.prefix)?.into_iter().collect()),
};

/// The numbers of a category with at least two seeds: its name, seeds and values.
type Cell<'g> = (&'g str, Vec<(i64, f64)>);

fn seeds(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let marks = |variant: &Variant, metric: Metric| -> Vec<Mark<'_>> {
        let cells = cells(groups, variant, metric);
        let values = |cell: &Cell<'_>| -> Vec<f64> { cell.1.iter().map(|(_, value)| *value).collect() };
        let spread = pooled_deviation(&cells.iter().map(values).collect::<Vec<_>>()).map(|deviation| Mark {
            what: "standard deviation",
            of: None,
            value: 0.0,
            interval: Some((-deviation, deviation)),
            shape: Shape::Speck,
            text: format!("standard deviation {deviation:.4}"),
            run: representative(groups, variant),
        });
        let rings = cells.iter().flat_map(|cell| {
            let mean = summary(&values(cell)).map_or(0.0, |summary| summary.mean);
            cell.1.iter().map(move |(seed, value)| Mark {
                what: "run",
                of: Some((cell.0, *seed)),
                value: value - mean,
                interval: None,
                shape: Shape::Ring,
                text: format!("{}, seed {seed}: {}", cell.0, signed(value - mean)),
                run: run_of(groups, variant, cell.0, *seed),
            })
        });
        spread.into_iter().chain(rings.collect::<Vec<_>>()).collect()
    };
    let palette = Palette::of(groups);
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| DotRow {
        label: variant.label.clone(),
        colour: palette.colour(index),
        marks: groups.metrics.iter().map(|metric| marks(variant, *metric)).collect(),
    });
    let texts = FigureTexts::of(
        groups,
        groups.variants.iter().take(MAX_DRAWN).flat_map(|variant| groups.of_variant(variant)),
        format!("{prefix}stability"),
        "Each run's difference from the mean over seeds, with ± one standard deviation",
        "A ring is one run: its difference from the mean of its variant and category. The interval is ± one standard deviation, pooled \
         over categories.",
    );
    Dots { title: "Spread over seeds".to_owned(), reference: Some(0.0), rows: rows.collect() }.figure(groups, texts)
}

fn cells<'g>(groups: &'g Groups<'_>, variant: &Variant, metric: Metric) -> Vec<Cell<'g>> {
    let of_category = |(category, _): &'g (String, _)| {
        (category.as_str(), groups.cell(variant, category, Selection::Selected, metric))
    };
    groups.categories.iter().map(of_category).filter(|(_, values)| values.len() > 1).collect()
}
