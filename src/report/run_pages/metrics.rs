//! The numbers of a run, with its rank among the runs of the same category and seed.

use maud::{Markup, html};

use crate::analysis::Groups;
use crate::evaluate::metrics::Metric;
use crate::evaluate::{Fact, Selection};
use crate::report::table::{Cell, Column, Table, TableRow, html::grid};
use crate::store::{RunRow, RunState};

/// Returns the table of the run's numbers.
pub(super) fn metrics(groups: &Groups<'_>, run: &RunRow) -> Markup {
    let value = |selection, metric: Metric| Cell::number(groups.value(run, selection, metric), |v| format!("{v:.4}"));
    let epoch = |selection| Cell::number(groups.value(run, selection, Fact::Epoch), |epoch| format!("{epoch:.0}"));
    let row = |metric: &Metric| TableRow {
        cells: vec![
            Cell::text(metric.label),
            value(Selection::Selected, *metric),
            Cell::text(
                rank(groups, run, *metric).map_or_else(|| "–".to_owned(), |(rank, of)| format!("{rank} of {of}")),
            ),
            value(Selection::Last, *metric),
        ],
        ..TableRow::default()
    };
    let epochs = TableRow {
        cells: vec![Cell::text("epoch"), epoch(Selection::Selected), Cell::default(), epoch(Selection::Last)],
        ..TableRow::default()
    };
    let table = Table {
        name: "metrics".to_owned(),
        title: "Metrics".to_owned(),
        columns: vec![
            Column::label("metric"),
            Column::number("selected epoch", ["selected"]),
            Column::number("rank", ["rank"]),
            Column::number("last epoch", ["last"]),
        ],
        rows: groups.metrics.iter().map(row).chain([epochs]).collect(),
        remarks: None,
        notes: Vec::new(),
    };
    html! {
        (grid(&table))
        p.quiet { "Rank: place of the selected epoch among the finished runs of " (run.category) " with seed " (run.seed) "." }
    }
}

/// Returns the run's rank, and the number of ranked runs; `None` if the run has no value.
fn rank(groups: &Groups<'_>, run: &RunRow, metric: Metric) -> Option<(usize, usize)> {
    let gain = |run: &RunRow| Some(metric.direction.gain(groups.value(run, Selection::Selected, metric)?));
    let ours = gain(run)?;
    let alike = groups
        .all()
        .filter(|other| other.state == RunState::Done && (&other.category, other.seed) == (&run.category, run.seed));
    let gains: Vec<f64> = alike.filter_map(gain).collect();
    Some((1 + gains.iter().filter(|gain| **gain > ours).count(), gains.len()))
}
