//! The findings of `compare` as a small page of their own.

use std::collections::BTreeSet;

use maud::html;

use super::map_comparison::{ComparedPair, sections};
use super::shell::{Shell, shell};
use super::table::html::block;
use super::table::{Cell, Column, Table, TableRow};
use super::tables::side_by_side;
use crate::analysis::{RankTest, Verdict, by_trial};
use crate::text::short_p;

/// Returns the page: each trial's metrics next to the reference's, ranks over categories, tests on other images, and the first two trials
/// image by image.
pub fn comparison_page(verdicts: &[Verdict], ranks: &[RankTest], pair: Option<&ComparedPair>) -> String {
    let reference = verdicts.first().map_or("", |verdict| verdict.reference.as_str());
    let title = format!("Comparison with {reference}");
    let trials = by_trial(verdicts);
    let metric_tables: Vec<Table> = trials.iter().map(|verdicts| side_by_side(verdicts)).collect();
    let other_protocols: BTreeSet<(&str, &str)> =
        verdicts.iter().filter_map(|verdict| Some((verdict.variant.as_str(), verdict.across.as_deref()?))).collect();
    let other_images: Vec<Table> = trials.iter().filter_map(|verdicts| other_images(verdicts)).collect();
    let body = html! {
        h1 { (title) }
        @for (variant, what) in other_protocols { p.note {
            strong { "Across protocols. " } (variant) " was measured under another protocol ("
            (what) "): its numbers do not measure the same quantity."
        } }
        h2 { "Metrics" }
        (block(&metric_tables))
        @if !ranks.is_empty() {
            h2 { "Ranks over categories" }
            (block(&ranks.iter().map(mean_ranks).collect::<Vec<_>>()))
        }
        @if !other_images.is_empty() {
            h2 { "DeLong's test: other test images" }
            (block(&other_images))
        }
        @if let Some(pair) = pair { (sections(pair)) }
    };
    shell(&Shell { title: &title, navigation: &[], body: &body })
}

/// Returns the table of DeLong's tests of one trial; `None` if the trial has none.
fn other_images(verdicts: &[&Verdict]) -> Option<Table> {
    let first = verdicts.first()?;
    let tests = verdicts.iter().flat_map(|verdict| &verdict.delong);
    let row = |(category, seed, p): &(String, i64, f64)| TableRow {
        cells: vec![Cell::text(category), Cell::integer(*seed), Cell::number(Some(*p), short_p)],
        ..TableRow::default()
    };
    let rows: Vec<TableRow> = tests.map(row).collect();
    (!rows.is_empty()).then(|| Table {
        name: "delong".to_owned(),
        title: format!("{} against {}, image AUROC", first.variant, first.reference),
        columns: vec![Column::label("category"), Column::number("seed", ["seed"]), Column::number("p", ["p"])],
        rows,
        remarks: None,
        notes: vec![
            "DeLong's test for each category and seed: whether these two networks would differ on other test images. The p-values are \
             not adjusted. Do not pool them over seeds."
                .to_owned(),
        ],
    })
}

fn mean_ranks(test: &RankTest) -> Table {
    let row = |(label, rank): &(String, f64)| TableRow {
        cells: vec![Cell::text(label), Cell::number(Some(*rank), |rank| format!("{rank:.2}"))],
        ..TableRow::default()
    };
    Table {
        name: format!("ranks-{}", test.metric),
        title: test.metric.label.to_owned(),
        columns: vec![Column::label("trial"), Column::number("mean rank", ["mean_rank"])],
        rows: test.mean_ranks.iter().map(row).collect(),
        remarks: None,
        notes: vec![test.description()],
    }
}
