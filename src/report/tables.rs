//! Tables of numbers: variant × category, comparisons, selected beside last and oracle.

use maud::{Markup, html};

use super::grouping::{Groups, METRICS, Variant, metric_label};
use super::statistics::summary;
use super::text::{signed, spread};
use super::verdict::Verdict;

/// One table a metric: mean ± standard deviation over seeds, and the difference from ST-FPM's mean below.
pub(super) fn results(groups: &Groups<'_>) -> Markup {
    let many = groups.categories.len() > 1;
    html! {
        @for (name, label) in METRICS {
            @let common = groups.common_categories("selected", name);
            h3 { (groups.marked(label)) }
            div.scroll { table {
                thead { tr {
                    th { "variant" }
                    @for (category, _) in &groups.categories { th { (category) } }
                    @if many { th {
                        "mean of " @if common.len() < groups.categories.len() { (common.len()) " of " } (groups.categories.len()) " categories"
                    } }
                    th.text { "epoch chosen by" }
                } }
                tbody { @for variant in &groups.variants {
                    tr.baseline[variant.baseline] {
                        td { (variant.label) @if variant.baseline { small { "re-run here" } } }
                        @for (category, _) in &groups.categories { td { (cell(groups, variant, category, name)) } }
                        @if many { td { (mean_cell(groups, variant, &common, name)) } }
                        td.text { (variant.selection) }
                    }
                } }
            } }
        }
        p.quiet {
            "Selected epoch, mean ± standard deviation over seeds; below, the difference from ST-FPM's mean. The selected epoch \
             is chosen on held-out normal images; no test image has a part in it."
        }
    }
}

fn values(pairs: Vec<(i64, f64)>) -> Vec<f64> {
    pairs.into_iter().map(|(_, value)| value).collect()
}

fn cell(groups: &Groups<'_>, variant: &Variant, category: &str, name: &str) -> Markup {
    let numbers = |variant| values(groups.cell(variant, category, "selected", name));
    let ours = numbers(variant);
    let reference = groups.baseline().filter(|_| !variant.baseline).map(numbers);
    let runs = groups.runs(variant, category).count();
    number(&ours, runs, reference.as_deref(), || missing(groups, variant, category, name))
}

fn mean_cell(groups: &Groups<'_>, variant: &Variant, categories: &[&str], name: &str) -> Markup {
    let numbers = |variant| values(groups.means(variant, categories, "selected", name));
    let reference = groups.baseline().filter(|_| !variant.baseline).map(numbers);
    let ours = numbers(variant);
    number(&ours, ours.len(), reference.as_deref(), || "–".to_owned())
}

fn number(ours: &[f64], runs: usize, reference: Option<&[f64]>, missing: impl Fn() -> String) -> Markup {
    let Some(summary_of_ours) = summary(ours) else { return html! { (missing()) } };
    let difference = reference.and_then(summary).map(|reference| summary_of_ours.mean - reference.mean);
    html! {
        (spread(summary_of_ours))
        @if ours.len() < runs { small { (ours.len()) " of " (runs) " seeds" } }
        @if let Some(difference) = difference { small class=(direction(difference)) { (signed(difference)) } }
    }
}

fn direction(difference: f64) -> &'static str {
    match difference {
        d if d >= 0.000_05 => "up",
        d if d <= -0.000_05 => "down",
        _ => "",
    }
}

/// Why a cell holds no number.
fn missing(groups: &Groups<'_>, variant: &Variant, category: &str, name: &str) -> String {
    if let Some(reason) = groups.reason(variant, category, "selected", name) {
        return format!("undefined: {reason}");
    }
    let states: Vec<&str> = groups.runs(variant, category).map(|run| run.state.as_str()).collect();
    match states.first() {
        None => "–".to_owned(),
        Some(first) if states.iter().all(|state| state == first) => (*first).to_owned(),
        Some(_) => "not finished".to_owned(),
    }
}

/// Every variant against ST-FPM.
pub(super) fn comparisons(comparisons: &[Verdict], groups: &Groups<'_>) -> Markup {
    let categories = groups.categories.len();
    html! {
        h3 { (groups.marked("Against ST-FPM, re-run under the same protocol")) }
        div.scroll { table {
            thead { tr {
                th { "variant" } th.text { "metric" } th { "mean difference" } th { "95 % interval" } th { "p (Holm)" }
                th { "better / equal / worse" } th { "seeds" } th { "categories" } th.text { "verdict" }
            } }
            tbody { @for comparison in comparisons {
                @let (wins, ties, losses) = comparison.better_equal_worse;
                tr {
                    td { (comparison.variant) }
                    td.text { (metric_label(comparison.metric)) }
                    td class=(direction(comparison.difference)) { (signed(comparison.difference)) }
                    td { @match comparison.interval {
                        Some((low, high)) => { (signed(low)) " to " (signed(high)) }
                        None => { "–" }
                    } }
                    td { @match comparison.p { Some(p) => { (format!("{p:.3}")) } None => { "–" } } }
                    td { (wins) " / " (ties) " / " (losses) }
                    td { (comparison.seeds) }
                    td { (comparison.categories) " of " (categories) }
                    td.text.wrap { (comparison.verdict) }
                }
            } }
        } }
        p.quiet {
            "Paired by category and seed; each seed's difference is a mean over the categories in which both have a number, p is adjusted \
             over the variants of one metric, counts are of single category–seed pairs. With fewer than 8 seeds the interval is \
             Student's t over seeds: it speaks of other seeds on these images, not of other images. From 8 seeds on it is a bootstrap \
             over seeds and, within each category, images."
        }
    }
}

/// What the choice of epoch does: selected, last and, on request, the best on test.
pub(super) fn epochs(groups: &Groups<'_>) -> Markup {
    let has_oracle = groups.all().any(|run| groups.value(run, "oracle", "epoch").is_some());
    let show = |variant: &Variant, category: &str, selection: &str, name: &str| {
        summary(&values(groups.cell(variant, category, selection, name))).map_or_else(|| "–".to_owned(), spread)
    };
    let chosen = |variant: &Variant, category: &str| {
        let epochs = values(groups.cell(variant, category, "selected", "epoch"));
        let texts: Vec<String> = epochs.iter().map(|epoch| format!("{epoch:.0}")).collect();
        if texts.is_empty() { "–".to_owned() } else { texts.join(", ") }
    };
    let mut columns = vec![("selected", "selected"), ("last", "last epoch")];
    if has_oracle {
        columns.push(("oracle", "best on test (oracle)"));
    }
    html! {
        h3 { (groups.marked(if has_oracle { "Selected epoch beside the last and the oracle" } else { "Selected epoch beside the last" })) }
        div.scroll { table {
            thead {
                tr { th { "variant" } th.text { "category" } th.text { "selected epochs" }
                    @for (_, metric) in METRICS { @for (_, column) in &columns { th { (metric) br; (column) } } } }
            }
            tbody { @for variant in &groups.variants { @for (category, _) in &groups.categories {
                tr.baseline[variant.baseline] {
                    td { (variant.label) } td.text { (category) } td.text { (chosen(variant, category)) }
                    @for (name, _) in METRICS { @for (selection, _) in &columns { td { (show(variant, category, selection, name)) } } }
                }
            } } }
        } }
        @if has_oracle {
            p.quiet { "The oracle picks each metric's best epoch on the test set itself: it shows what such a choice pretends, and is never compared." }
        }
    }
}
