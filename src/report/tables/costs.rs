//! The table of each variant's costs.

use std::collections::BTreeSet;

use crate::analysis::{Costs, Groups, Rows, Variant};
use crate::report::reproduce::label;
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::Quartiles;
use crate::text::{count, duration};

/// Returns the table of costs; `costs` belong to the variants of `groups`.
pub(super) fn table(rows: &Rows, groups: &Groups<'_>, costs: &[Costs]) -> Table {
    let devices: BTreeSet<&str> = rows.stages.iter().filter_map(|stage| stage.device.as_deref()).collect();
    let devices = devices.into_iter().collect::<Vec<_>>().join(", ");
    let megabytes = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    let on_gpus = costs.iter().any(|costs| costs.gpu_peak.is_some());
    let mut columns = vec![
        Column::label("variant"),
        Column::number("parameters", ["parameters"]),
        Column::number("FLOP per image", ["flops"]),
        times("pretraining", "pretraining_seconds"),
        times("joint training per epoch", "joint_epoch_seconds"),
        times("forward pass per image", "forward_image_milliseconds"),
        times("scoring per image", "scoring_image_milliseconds"),
        Column::number("peak memory", ["peak_bytes"]),
    ];
    if on_gpus {
        columns.push(Column::number("peak GPU memory", ["gpu_peak_bytes"]));
    }
    let row = |(variant, costs): (&Variant, &Costs)| {
        let mut cells = vec![
            label(groups, variant),
            Cell::number(costs.parameters, count),
            Cell::number(costs.flops, count),
            spread(costs.pretrain, duration),
            spread(costs.epoch, duration),
            spread(costs.forward, |ms| format!("{ms:.1} ms")),
            spread(costs.score, |ms| format!("{ms:.1} ms")),
            Cell::number(costs.peak, megabytes),
        ];
        if on_gpus {
            cells.push(Cell::number(costs.gpu_peak, megabytes));
        }
        TableRow { baseline: variant.baseline, cells }
    };
    Table {
        name: "costs".to_owned(),
        title: groups.marked("Cost"),
        columns,
        rows: groups.variants.iter().zip(costs).map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "Times are medians, with the quartiles in brackets. They count only stages that ran alone on their machine, in one attempt. \
             Those on idle cores of other workers count only if there are no others. Peak memory is the highest of any stage. Measured on: \
             {}. Teacher features are computed once per category and are not counted.",
            if devices.is_empty() { "no device yet" } else { &devices }
        )],
    }
}

/// Creates a column of times with their median and quartiles.
fn times(heading: &str, field: &str) -> Column {
    Column::number(heading, ["median", "q1", "q3"].map(|part| format!("{field}_{part}")))
}

/// Creates a cell with a median, and with the quartiles if there are several times.
fn spread(times: Option<Quartiles>, text: impl Fn(f64) -> String) -> Cell {
    let shown = |times: Quartiles| match times.count {
        1 => text(times.median),
        _ => format!("{} ({} to {})", text(times.median), text(times.low), text(times.high)),
    };
    let numbers = times.map(|times| [times.median, times.low, times.high]);
    let numbers = [0, 1, 2].map(|place| numbers.map(|numbers| numbers[place]));
    Cell::numbers(times.map_or_else(|| "–".to_owned(), shown), numbers)
}
