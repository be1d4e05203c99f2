//! Compares the rules that select an epoch: selected on held-out normals, last, and best on test.

use super::dots::{DotRow, Dots, Mark, Shape};
use super::palette::Palette;
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::analysis::MAX_DRAWN;
use crate::analysis::{Groups, Variant};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};

/// Each selection with its shape and name.
const RULES: [(Selection, Shape, &str); 3] = [
    (Selection::Last, Shape::Ring, "last epoch"),
    (Selection::Selected, Shape::Dot, "selected epoch"),
    (Selection::Oracle, Shape::Cross, "best epoch on test"),
];

/// Means over categories and seeds; no figure if no run is done.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Learning,
    draw: |source| Ok(rules(source.groups, source.prefix)?.into_iter().collect()),
};

fn rules(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    // The categories that all variants have are computed once, not for each variant.
    let of_metric = |metric: &Metric| (*metric, RULES.map(|(rule, ..)| groups.common_categories(rule, *metric)));
    let shared: Vec<_> = groups.metrics.iter().map(of_metric).collect();
    let marks = |variant: &Variant, metric: Metric, shared: &[Vec<&str>]| -> Vec<Mark<'_>> {
        let mark = |((rule, shape, name), categories): (&(Selection, Shape, &'static str), &Vec<&str>)| {
            let value = groups.mean(variant, categories, *rule, metric)?;
            let text = format!("{name}, mean {value:.4}");
            let run = representative(groups, variant);
            Some(Mark { what: name, of: None, value, interval: None, shape: *shape, text, run })
        };
        RULES.iter().zip(shared).filter_map(mark).collect()
    };
    let palette = Palette::of(groups);
    let rows = groups.variants.iter().take(MAX_DRAWN).enumerate().map(|(index, variant)| DotRow {
        label: variant.label.clone(),
        colour: palette.colour(index),
        marks: shared.iter().map(|(metric, shared)| marks(variant, *metric, shared)).collect(),
    });
    let by = if groups.selects_epochs() { "selected on held-out normals" } else { "no selection (last epoch)" };
    let texts = FigureTexts::of(
        groups,
        groups.variants.iter().take(MAX_DRAWN).flat_map(|variant| groups.of_variant(variant)),
        format!("{prefix}rules"),
        "Mean of each variant by the rule that selects the epoch: selected, last, oracle",
        "Mean of each variant at the selected epoch, at the last one, and at the best one on test. The best epoch on test is an \
         oracle, not a result.",
    );
    Dots {
        title: format!("Mean at the epoch: ● {by}, ○ last, × best on test (oracle)"),
        reference: None,
        rows: rows.collect(),
    }
    .figure(groups, texts)
}
