//! Published rows, in a block of their own: never in one ranking with what was measured here.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::baselines::{Published, published};
use super::grouping::Groups;
use super::{ReportError, Rows};

/// The block, where the sweep names a published table.
pub(super) fn block(rows: &Rows, groups: &Groups<'_>) -> Result<Option<Markup>, ReportError> {
    let resolved: serde_json::Value = serde_json::from_str(&rows.sweep.resolved).unwrap_or_default();
    let Some(name) = resolved["baseline"]["published"].as_str() else { return Ok(None) };
    let table = published(name)?;
    let (same, other): (Vec<_>, Vec<_>) = groups
        .categories
        .iter()
        .map(|(category, protocol)| (category.as_str(), protocol.is_mvtec(category)))
        .partition(|(_, outcome)| outcome.is_ok());
    Ok(Some(html! {
        h3 { "Published: " (name) }
        @if !same.is_empty() { (rows_of(&table, &same.iter().map(|(category, _)| *category).collect::<Vec<_>>())) }
        @for (category, outcome) in &other { @if let Err(reason) = outcome {
            p.note { (category) ": no published row is shown, for the data set is another one: " (reason) "." }
        } }
    }))
}

fn rows_of(table: &[Published], categories: &[&str]) -> Markup {
    let shown = || table.iter().filter(|row| categories.contains(&row.category.as_str()));
    let lines: BTreeSet<(&str, &str)> = shown().map(|row| (row.model.as_str(), row.metric.as_str())).collect();
    let value = |category: &str, (model, metric): (&str, &str)| {
        let row = shown()
            .find(|row| (row.category.as_str(), row.model.as_str(), row.metric.as_str()) == (category, model, metric));
        row.map_or_else(|| "–".to_owned(), |row| format!("{:.4}", row.value))
    };
    let sources: BTreeSet<(&str, &str)> = shown().map(|row| (row.model.as_str(), row.source.as_str())).collect();
    let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in shown().filter(|row| !row.note.is_empty()) {
        let of_note = notes.entry(&row.note).or_default();
        if !of_note.contains(&row.category.as_str()) {
            of_note.push(&row.category);
        }
    }
    html! {
        @if lines.is_empty() { p.note { "The table has no number of these categories." } }
        @else {
            div.scroll { table {
                thead { tr { th { "model" } th.text { "metric" } @for category in categories { th { (category) } } } }
                tbody { @for line in lines { tr {
                    td { (line.0) }
                    td.text { (line.1) }
                    @for category in categories { td { (value(category, line)) } }
                } } }
            } }
            p.quiet {
                "The same images as far as counts tell, another protocol (size, split, epochs, choice of epoch): not to be ranked with \
                 the numbers above. "
                @for (model, source) in sources { (model) ": " (source) ". " }
                @for (note, categories) in notes { (categories.join(", ")) ": " (note) ". " }
            }
        }
    }
}
