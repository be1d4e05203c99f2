//! Tables of variant × category: means over seeds, with the best marked if the tests support it.

use crate::analysis::{Differences, Groups, Rivals, Side, Variant, best, without};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::reproduce::anchor;
use crate::report::table::{Cell, Column, Table, TableRow, count_value};
use crate::statistics::{Summary, summary};
use crate::store::RunState;
use crate::text::{counted, signed};
use crate::training::SelectionRule;

/// Returns one table per metric: mean ± standard deviation over seeds, and the paired difference from ST-FPM below.
pub(in crate::report) fn results(groups: &Groups<'_>, sides: &[Side]) -> Vec<Table> {
    groups.metrics.iter().map(|metric| table(groups, sides, *metric)).collect()
}

/// The categories that a column of the table covers.
struct ColumnScope<'g> {
    heading: String,
    field: &'g str,
    categories: Vec<&'g str>,
    /// Whether the column is a mean over several categories.
    mean: bool,
}

fn table<'s>(groups: &'s Groups<'_>, sides: &'s [Side], metric: Metric) -> Table {
    let scopes = columns(groups, metric);
    let cells: Vec<Vec<Cell>> = scopes.iter().map(|scope| column(groups, sides, scope, metric)).collect();
    let row = |(place, variant): (usize, &Variant)| {
        let name = Cell::text(&variant.label);
        let name = if variant.baseline { name.remarked("re-run here") } else { name };
        let ends = [Cell::absent(seeds(groups, variant, metric)), Cell::text(rule(variant))];
        let numbers = cells.iter().map(|column| column[place].clone());
        TableRow { baseline: variant.baseline, cells: std::iter::once(name).chain(numbers).chain(ends).collect() }
    };
    let marked = cells.iter().flatten().any(|cell| cell.best);
    let headings = scopes.iter().map(|scope| {
        Column::number(&scope.heading, ["mean", "sd", "seeds"].map(|field| format!("{}.{field}", scope.field)))
    });
    let ends = [Column::number("seeds", [""; 0]), Column::label("epoch chosen by")];
    let order = groups.ordered_by.map(|metric| {
        let first = if groups.baseline().is_some() { "ST-FPM comes first. " } else { "" };
        format!("{first}Variants are sorted by their mean {}; those with unfinished runs come last.", metric.label)
    });
    let selected = "Selected epoch: mean ± standard deviation over seeds. The epoch is selected on held-out normal images, without any \
                    test image.";
    Table {
        name: format!("results-{metric}"),
        title: groups.marked(metric.label),
        columns: std::iter::once(Column::label("variant")).chain(headings).chain(ends).collect(),
        rows: groups.variants.iter().enumerate().map(row).collect(),
        remarks: groups.baseline().map(|_| {
            "Below each mean: the difference from ST-FPM, a mean of pairs with the same category and seed. If runs are missing, it is not \
             the difference of the means."
        }),
        notes: order
            .into_iter()
            .chain([Rivals::of(groups).note(metric, marked)])
            .chain(scopes.last().and_then(|scope| unpaired(groups, sides, scope, metric)))
            .chain([selected.to_owned()])
            .collect(),
    }
}

/// Maximum number of variants whose differences a note lists.
const MAX_LISTED: usize = 6;

/// Returns a note with the paired differences of the variants that lack pairs. Tables without room for remarks need it, because there the
/// difference of the means would be wrong.
fn unpaired<'s>(groups: &Groups<'_>, sides: &'s [Side], scope: &ColumnScope<'s>, metric: Metric) -> Option<String> {
    let describe = |(variant, place): (&Variant, usize)| {
        let difference = difference(groups, sides, place, scope, metric).filter(|d| !d.incomplete_seeds.is_empty())?;
        Some(format!("{} {}", variant.label, described(&difference, scope)))
    };
    let all: Vec<String> = groups.variants.iter().zip(0..).filter_map(describe).collect();
    let more = if all.len() > MAX_LISTED { format!("; and {} more", all.len() - MAX_LISTED) } else { String::new() };
    let first = all.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join("; ");
    (!all.is_empty())
        .then(|| format!("Runs are missing. Paired differences from ST-FPM by category and seed: {first}{more}."))
}

/// Returns the difference of a variant from ST-FPM in a column. In the mean over categories it is the verdict's difference.
fn difference<'s>(
    groups: &Groups<'_>,
    sides: &'s [Side],
    place: usize,
    scope: &ColumnScope<'s>,
    metric: Metric,
) -> Option<Differences<'s>> {
    let baseline = groups.variants.iter().position(|variant| variant.baseline)?;
    if groups.variants[place].baseline {
        return None;
    }
    match scope.mean {
        true => Differences::between(&sides[place], &sides[baseline], metric),
        false => Differences::over_categories(&scope.categories, &sides[place], &sides[baseline], metric),
    }
}

/// Returns one column per category, and the mean over the categories that all variants have.
fn columns<'g>(groups: &'g Groups<'_>, metric: Metric) -> Vec<ColumnScope<'g>> {
    let of_category = |(category, _): &'g (String, _)| ColumnScope {
        heading: category.clone(),
        field: category,
        categories: vec![category.as_str()],
        mean: false,
    };
    let mut columns: Vec<ColumnScope<'g>> = groups.categories.iter().map(of_category).collect();
    let all = columns.len();
    if all > 1 {
        let categories = groups.common_categories(Selection::Selected, metric);
        let of = if categories.len() < all { format!("{} of ", categories.len()) } else { String::new() };
        columns.push(ColumnScope {
            heading: format!("mean of {of}{all} categories"),
            field: "all",
            categories,
            mean: true,
        });
    }
    columns
}

fn column<'s>(groups: &'s Groups<'_>, sides: &'s [Side], scope: &ColumnScope<'s>, metric: Metric) -> Vec<Cell> {
    let summaries: Vec<Option<Summary>> = groups
        .variants
        .iter()
        .map(|variant| {
            let pairs = match scope.mean {
                true => groups.means(variant, &scope.categories, Selection::Selected, metric),
                false => groups.cell(variant, scope.field, Selection::Selected, metric),
            };
            summary(&pairs.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        })
        .collect();
    let means: Vec<Option<f64>> = summaries.iter().map(|summary| summary.map(|summary| summary.mean)).collect();
    let best = best(sides, &means, Rivals::of(groups), &scope.categories, metric);
    let cell = |(place, summary): (usize, Option<Summary>)| {
        let variant = &groups.variants[place];
        let Some(summary) = summary else {
            return Cell::absent(if scope.mean {
                "–".to_owned()
            } else {
                missing(groups, variant, scope.field, metric)
            });
        };
        let numbers = [Some(summary.mean), summary.deviation];
        let mut cell = Cell { best: best == Some(place), ..Cell::numbers(summary.to_string(), numbers) };
        cell.values.push(count_value(summary.count));
        cell.runs = (!scope.mean).then(|| anchor(variant, scope.field));
        let runs = if scope.mean { summary.count } else { groups.runs(variant, scope.field).count() };
        if summary.count < runs {
            cell = cell.remarked(format!("{} of {runs} seeds", summary.count));
        }
        match difference(groups, sides, place, scope, metric) {
            Some(difference) => cell.remarked(described(&difference, scope)),
            None => cell,
        }
    };
    summaries.iter().copied().enumerate().map(cell).collect()
}

/// Describes a difference: "+0.0120", or "+0.0120 (2 categories, without seed 3)" if it does not cover everything that the mean above it
/// covers.
fn described(difference: &Differences<'_>, scope: &ColumnScope<'_>) -> String {
    let (paired, shown) = (difference.categories.len(), scope.categories.len());
    let categories = (paired != shown).then(|| counted(paired, "category"));
    let facts: Vec<String> = categories.into_iter().chain(without(&difference.incomplete_seeds)).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("{}{facts}", signed(difference.mean()))
}

/// Returns the number of seeds: "3", or "2–3" if categories differ.
fn seeds(groups: &Groups<'_>, variant: &Variant, metric: Metric) -> String {
    let categories = groups.categories.iter();
    let counts = categories.map(|(category, _)| groups.cell(variant, category, Selection::Selected, metric).len());
    let (least, most) = counts.fold((usize::MAX, 0), |(least, most), count| (least.min(count), most.max(count)));
    if least < most { format!("{least}–{most}") } else { most.to_string() }
}

/// Returns why a cell has no number.
fn missing(groups: &Groups<'_>, variant: &Variant, category: &str, metric: Metric) -> String {
    if let Some(reason) = groups.reason(variant, category, Selection::Selected, metric) {
        return format!("undefined: {reason}");
    }
    let states: Vec<RunState> = groups.runs(variant, category).map(|run| run.state).collect();
    match states.first() {
        None => "–".to_owned(),
        Some(first) if states.iter().all(|state| state == first) => first.to_string(),
        Some(_) => "not finished".to_owned(),
    }
}

/// Returns the rule that selected a variant's epochs.
fn rule(variant: &Variant) -> &'static str {
    match variant.selection {
        Some(SelectionRule::HeldOutScore) => "lowest held-out map mean",
        Some(SelectionRule::HeldOutLoss) => "lowest held-out loss",
        Some(SelectionRule::Last) => "none (last epoch)",
        None => "unknown",
    }
}
