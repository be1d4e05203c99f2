//! Published rows, in a block of their own: never in one ranking with what was measured here.

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
    let mut metrics: Vec<&str> = table.iter().map(|row| row.metric.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let value = |category: &str, metric: &str| {
        let row = table.iter().find(|row| row.category == category && row.metric == metric);
        row.map_or_else(|| "–".to_owned(), |row| format!("{:.4}", row.value))
    };
    let mut sources: Vec<(&str, &str)> = table.iter().map(|row| (row.model.as_str(), row.source.as_str())).collect();
    sources.sort_unstable();
    sources.dedup();
    html! {
        div.scroll { table {
            thead { tr { th { "metric" } @for category in categories { th { (category) } } } }
            tbody { @for metric in metrics { tr {
                td { (metric) }
                @for category in categories { td { (value(category, metric)) } }
            } } }
        } }
        p.quiet {
            "The same images as far as counts tell, another protocol (size, split, epochs, choice of epoch): not to be ranked with \
             the numbers above. "
            @for (model, source) in sources { (model) ": " (source) ". " }
        }
    }
}
