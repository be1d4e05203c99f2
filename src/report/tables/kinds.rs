//! Results on each kind of defect: where a variant helps, and where it does not.

use crate::analysis::{Groups, MAX_DRAWN, Variant};
use crate::evaluate::metrics::Metric;
use crate::evaluate::{OfKind, Selection};
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::summary;
use crate::text::counted;

/// Returns one table per metric: a row per kind of defect, a column per variant. There is none if each category has a single kind, on which
/// the results are those of the category.
pub(in crate::report) fn kinds(groups: &Groups<'_>) -> Vec<Table> {
    let categories = groups.categories.iter().map(|(category, _)| category.as_str());
    let several = |category: &&str| groups.kinds.of.get(*category).is_some_and(|kinds| kinds.len() > 1);
    let categories: Vec<&str> = categories.filter(several).collect();
    match categories.is_empty() {
        true => Vec::new(),
        false => groups.kinds.metrics.iter().map(|metric| table(groups, &categories, *metric)).collect(),
    }
}

fn table(groups: &Groups<'_>, categories: &[&str], metric: Metric) -> Table {
    let variants: Vec<&Variant> = groups.variants.iter().take(MAX_DRAWN).collect();
    let row = |scope: &str, of: &[&str], kind: &str| TableRow {
        cells: [Cell::text(scope), Cell::text(kind)]
            .into_iter()
            .chain(variants.iter().map(|variant| cell(groups, variant, of, metric, kind)))
            .collect(),
        ..TableRow::default()
    };
    let by_category = categories.iter().flat_map(|category| {
        groups.kinds.of[*category].iter().map(|kind| row(category, &[category], kind)).collect::<Vec<_>>()
    });
    let mean = format!("mean of {}", counted(categories.len(), "category"));
    let shared = groups.kinds.shared(categories);
    let means = shared.iter().map(|kind| row(&mean, categories, kind));
    let columns = variants.iter().map(|variant| {
        Column::number(&variant.label, ["mean", "sd"].map(|field| format!("{}.{field}", variant.label)))
    });
    let left_out = groups.variants.len() - variants.len();
    let others = (left_out > 0).then(|| format!("The table leaves out {}.", counted(left_out, "variant")));
    Table {
        name: format!("kinds-{metric}"),
        title: groups.marked(&format!("{} on each kind of defect", metric.label)),
        columns: [Column::label("category"), Column::label("kind of defect")].into_iter().chain(columns).collect(),
        rows: by_category.chain(means).collect(),
        remarks: None,
        notes: std::iter::once(
            "Mean ± standard deviation over seeds, at the selected epoch. Each number is measured on the images of one kind of defect and all \
             normal images. Kinds have few images, and no difference here is tested."
                .to_owned(),
        )
        .chain(others)
        .collect(),
    }
}

fn cell(groups: &Groups<'_>, variant: &Variant, categories: &[&str], metric: Metric, kind: &str) -> Cell {
    let means = groups.means(variant, categories, Selection::Selected, OfKind(metric, kind));
    Cell::of_seeds(summary(&means.into_iter().map(|(_, value)| value).collect::<Vec<_>>()))
}
