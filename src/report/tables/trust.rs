//! How far the numbers can be trusted: seeds, the choice of the epoch, and the threshold on held-out images.

use crate::analysis::{Groups, Variant};
use crate::evaluate::metrics::{IMAGE_FALSE_ALARMS, IMAGE_FALSE_ALARMS_EXPECTED, Metric};
use crate::evaluate::{Fact, Selection};
use crate::report::reproduce::label;
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::summary;
use crate::store::RunState;
use crate::text::{agreeing, counted, signed};

/// Returns one row per variant, with means over its finished runs.
pub(super) fn trust(groups: &Groups<'_>) -> Table {
    let first = groups.first_metric();
    Table {
        name: "trust".to_owned(),
        title: groups.marked("Seeds, epochs and thresholds"),
        columns: vec![
            Column::label("variant"),
            Column::number("runs done", ["runs", "runs_of"]),
            Column::number("selected epochs", ["first_epoch", "last_epoch"]),
            Column::number(format!("selected − last epoch, {}", first.label), ["selected_minus_last"]),
            Column::number("false alarms at the threshold", ["false_alarms"]),
            Column::number("expected", ["false_alarms_expected"]),
        ],
        rows: groups.variants.iter().map(|variant| row(groups, variant, first)).collect(),
        remarks: None,
        notes: vec![
            "Means over finished runs. The epoch is selected on held-out normal images. The threshold is fitted to their scores; \"expected\" is \
             the share of false alarms that they predict for new normal images."
                .to_owned(),
        ],
    }
}

/// Returns the same in two sentences, for pages on which the table is folded.
pub(in crate::report) fn summary_of_trust(groups: &Groups<'_>) -> String {
    let all = groups.all().count();
    let done: Vec<_> = groups.all().filter(|run| run.state == RunState::Done).collect();
    let mean = |metric: Metric| {
        let values = done.iter().filter_map(|run| groups.value(run, Selection::Selected, metric));
        summary(&values.collect::<Vec<_>>()).map(|summary| 100.0 * summary.mean)
    };
    let alarms = mean(IMAGE_FALSE_ALARMS).zip(mean(IMAGE_FALSE_ALARMS_EXPECTED)).map(|(found, expected)| {
        format!(
            " At the held-out threshold, {found:.1} % of the normal test images raise an alarm on average; {expected:.1} % were expected."
        )
    });
    format!(
        "{} of {} of {} {} done.{}",
        done.len(),
        counted(all, "run"),
        counted(groups.variants.len(), "variant"),
        agreeing(all, "is", "are"),
        alarms.unwrap_or_default()
    )
}

fn row(groups: &Groups<'_>, variant: &Variant, first: Metric) -> TableRow {
    let all = groups.of_variant(variant).count();
    let done: Vec<_> = groups.of_variant(variant).filter(|run| run.state == RunState::Done).collect();
    let mean = |values: Vec<f64>| summary(&values).map(|summary| summary.mean);
    let of =
        |metric: Metric| mean(done.iter().filter_map(|run| groups.value(run, Selection::Selected, metric)).collect());
    let change = done.iter().filter_map(|run| {
        Some(groups.value(run, Selection::Selected, first)? - groups.value(run, Selection::Last, first)?)
    });
    let epochs = || done.iter().filter_map(|run| groups.value(run, Selection::Selected, Fact::Epoch));
    let (low, high) = (epochs().reduce(f64::min), epochs().reduce(f64::max));
    let epochs =
        low.zip(high).map(|(low, high)| if low == high { low.to_string() } else { format!("{low} to {high}") });
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let cells = vec![
        label(groups, variant),
        Cell::numbers(format!("{} of {all}", done.len()), [Some(done.len() as f64), Some(all as f64)]),
        Cell::numbers(epochs.unwrap_or_else(|| "–".to_owned()), [low, high]),
        Cell::number(mean(change.collect()), signed),
        Cell::number(of(IMAGE_FALSE_ALARMS), percent),
        Cell::number(of(IMAGE_FALSE_ALARMS_EXPECTED), percent),
    ];
    TableRow { baseline: variant.baseline, cells }
}
