//! The findings of `compare` as a small page of their own.

use std::collections::BTreeSet;

use maud::html;

use super::shell::{Shell, shell};
use super::table::html::block;
use super::table::{Cell, Column, Row, Table};
use super::tables::side_by_side;
use crate::analysis::{RankTest, Verdict, by_trial};
use crate::text::short_p;

/// Returns the page: each trial's metrics next to the reference's, ranks over categories, and tests on other images.
pub fn comparison_page(verdicts: &[Verdict], ranks: &[RankTest]) -> String {
    let reference = verdicts.first().map_or("", |verdict| verdict.reference.as_str());
    let title = format!("Against {reference}");
    let trials = by_trial(verdicts);
    let beside: Vec<Table> = trials.iter().map(|verdicts| side_by_side(verdicts)).collect();
    let across: BTreeSet<(&str, &str)> =
        verdicts.iter().filter_map(|verdict| Some((verdict.variant.as_str(), verdict.across.as_deref()?))).collect();
    let other_images: Vec<Table> = trials.iter().filter_map(|verdicts| other_images(verdicts)).collect();
    let body = html! {
        h1 { (title) }
        @for (variant, what) in across { p.note {
            strong { "Across protocols. " } (variant) " was measured in another way (" (what) "): the numbers do not measure the same thing."
        } }
        (block(&beside))
        @if !ranks.is_empty() {
            h2 { "Ranks over categories" }
            (block(&ranks.iter().map(mean_ranks).collect::<Vec<_>>()))
        }
        @if !other_images.is_empty() {
            h2 { "On other images" }
            (block(&other_images))
        }
    };
    shell(&Shell { title: &title, navigation: &[], body: &body })
}

/// Returns the table of DeLong's tests of one trial; `None` if the trial has none.
fn other_images(verdicts: &[&Verdict]) -> Option<Table> {
    let first = verdicts.first()?;
    let tests = verdicts.iter().flat_map(|verdict| &verdict.delong);
    let row = |(category, seed, p): &(String, i64, f64)| Row {
        cells: vec![Cell::text(category), Cell::whole(*seed), Cell::number(Some(*p), short_p)],
        ..Row::default()
    };
    let rows: Vec<Row> = tests.map(row).collect();
    (!rows.is_empty()).then(|| Table {
        name: "delong".to_owned(),
        title: format!("{} against {}, image AUROC", first.variant, first.reference),
        columns: vec![Column::label("category"), Column::number("seed", ["seed"]), Column::number("p", ["p"])],
        rows,
        remarks: None,
        notes: vec![
            "DeLong's test of each category and seed: what other images would say of these two networks; not adjusted, and not to be \
             pooled over seeds."
                .to_owned(),
        ],
    })
}

fn mean_ranks(test: &RankTest) -> Table {
    let row = |(label, rank): &(String, f64)| Row {
        cells: vec![Cell::text(label), Cell::number(Some(*rank), |rank| format!("{rank:.2}"))],
        ..Row::default()
    };
    Table {
        name: format!("ranks-{}", test.metric),
        title: test.metric.label.to_owned(),
        columns: vec![Column::label("trial"), Column::number("mean rank", ["mean_rank"])],
        rows: test.mean_ranks.iter().map(row).collect(),
        remarks: None,
        notes: vec![test.told()],
    }
}
