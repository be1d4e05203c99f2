//! Shows published rows in a table of their own; they are never ranked together with numbers measured here.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::{Groups, Rows};
use crate::evaluate::metrics::Metric;
use crate::published::{PublishedResult, published};
use crate::report::error::ReportError;
use crate::report::table::{Cell, Column, Table, TableRow};

/// Returns the table if the sweep names a published one. It has no rows if no category has the same images.
///
/// # Errors
/// The published table cannot be read.
pub(super) fn table(rows: &Rows, groups: &Groups<'_>) -> Result<Option<Table>, ReportError> {
    let resolved: serde_json::Value = serde_json::from_str(&rows.sweep.resolved).unwrap_or_default();
    let Some(name) = resolved["baseline"]["published"].as_str() else { return Ok(None) };
    let published = published(name)?;
    let (same, other): (Vec<_>, Vec<_>) = groups
        .categories
        .iter()
        .map(|(category, protocol)| (category.as_str(), protocol.is_mvtec(category)))
        .partition(|(_, outcome)| outcome.is_ok());
    let same: Vec<&str> = same.into_iter().map(|(category, _)| category).collect();
    let mut table = of_categories(name, &published, &same);
    table.notes.extend(other.iter().filter_map(|(category, outcome)| {
        let reason = outcome.as_ref().err()?;
        Some(format!("{category}: no published result is shown, because the data set differs: {reason}."))
    }));
    Ok(Some(table))
}

fn of_categories(name: &str, published: &[PublishedResult], categories: &[&str]) -> Table {
    let shown = || published.iter().filter(|row| categories.contains(&row.category.as_str()));
    let lines: BTreeSet<(&str, &str)> = shown().map(|row| (row.model.as_str(), row.metric.as_str())).collect();
    let value = |category: &str, (model, metric): (&str, &str)| {
        let row = shown()
            .find(|row| (row.category.as_str(), row.model.as_str(), row.metric.as_str()) == (category, model, metric));
        Cell::number(row.map(|row| row.value), |value| format!("{value:.4}"))
    };
    let row = |line: &(&str, &str)| {
        let starts = [Cell::text(line.0), Cell::text(label(line.1))];
        let values = categories.iter().map(|category| value(category, *line));
        TableRow { cells: starts.into_iter().chain(values).collect(), ..TableRow::default() }
    };
    let starts = [Column::label("model"), Column::label("metric")];
    Table {
        name: "published".to_owned(),
        title: format!("Published: {name}"),
        columns: starts.into_iter().chain(categories.iter().map(|c| Column::number(*c, [*c]))).collect(),
        rows: lines.iter().map(row).collect(),
        remarks: None,
        notes: match (categories.is_empty(), lines.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec!["The published table has no results for these categories.".to_owned()],
            (false, false) => vec![origin(shown())],
        },
    }
}

/// Returns a published number's name for people: the label of a metric; a name that is not a metric stays unchanged.
fn label(name: &str) -> &str {
    Metric::named(name).map_or(name, |metric| metric.label)
}

/// Describes where the rows come from and what readers must know about them.
fn origin<'p>(shown: impl Iterator<Item = &'p PublishedResult> + Clone) -> String {
    let sources: BTreeSet<(&str, &str)> = shown.clone().map(|row| (row.model.as_str(), row.source.as_str())).collect();
    let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in shown.filter(|row| !row.note.is_empty()) {
        let of_note = notes.entry(&row.note).or_default();
        if !of_note.contains(&row.category.as_str()) {
            of_note.push(&row.category);
        }
    }
    let sources = sources.iter().map(|(model, source)| format!(" {model}: {source}."));
    let notes = notes.iter().map(|(note, categories)| format!(" {}: {note}.", categories.join(", ")));
    let start = "The image counts are the same, but the protocol (size, split, epochs, choice of epoch) is another. Do not rank these \
                 numbers together with the numbers measured here.";
    std::iter::once(start.to_owned()).chain(sources).chain(notes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::published_names;

    #[test]
    fn every_published_number_is_of_a_registered_metric_or_a_known_other() {
        // Costs, and a definition of AUPRO that didact does not compute: the mean over images, each with its own false positive rate.
        const OTHERS: [&str; 4] = ["latency_ms", "throughput_img_s", "seconds_per_epoch", "aupro_per_image"];
        for row in published_names().into_iter().flat_map(|name| published(name).expect("is embedded")) {
            let is_metric = Metric::named(&row.metric).is_some();
            assert!(is_metric || OTHERS.contains(&row.metric.as_str()), "{} of {}", row.metric, row.model);
        }
    }
}
