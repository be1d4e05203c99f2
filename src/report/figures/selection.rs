//! Compares the rules that select an epoch: selected on held-out normals, last, and best on test.

use super::dots::{DotRow, Dots, Mark, Shape};
use super::{FigureChapter, FigureKind};
use crate::analysis::MAX_DRAWN;
use crate::analysis::{Groups, Variant};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, left_out, series};

/// Each selection with its shape.
const RULES: [(Selection, Shape); 3] =
    [(Selection::Last, Shape::Ring), (Selection::Selected, Shape::Dot), (Selection::Oracle, Shape::Cross)];

/// Means over categories and seeds; no figure if no run is done.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Learning,
    draw: |source| Ok(rules(source.groups, source.prefix)?.into_iter().collect()),
};

fn rules(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    // The categories that all variants have are computed once, not for each variant.
    let of_metric = |metric: &Metric| (*metric, RULES.map(|(rule, _)| groups.common_categories(rule, *metric)));
    let shared: Vec<_> = groups.metrics.iter().map(of_metric).collect();
    let marks = |variant: &Variant, metric: Metric, shared: &[Vec<&str>]| -> Vec<Mark> {
        let mark = |((rule, shape), categories): (&(Selection, Shape), &Vec<&str>)| {
            Some(Mark::new(groups.mean(variant, categories, *rule, metric)?, *shape))
        };
        RULES.iter().zip(shared).filter_map(mark).collect()
    };
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| DotRow {
        label: variant.label.clone(),
        colour: series(index),
        marks: shared.iter().map(|(metric, shared)| marks(variant, *metric, shared)).collect(),
    });
    let rest = left_out(groups.variants.len());
    let by = if groups.selects_epochs() { "selected on held-out normals" } else { "no selection (last epoch)" };
    let title = format!("mean at the epoch: ● {by}, ○ last, × best on test (oracle){rest}");
    Dots { title, reference: None, rows: rows.collect() }.figure(
        groups,
        format!("{prefix}rules"),
        "Mean of each variant by the rule that selects the epoch: selected, last, oracle",
    )
}
