//! The table of each variant's costs.

use std::collections::BTreeSet;

use crate::analysis::{Costs, Groups, Rows, Variant};
use crate::report::reproduce::label;
use crate::report::table::{Cell, Column, Table, TableRow};
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
        Column::number("pretraining", ["pretraining_seconds"]),
        Column::number("joint training per epoch", ["joint_epoch_seconds"]),
        Column::number("forward pass per image", ["forward_image_milliseconds"]),
        Column::number("scoring per image", ["scoring_image_milliseconds"]),
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
            Cell::number(costs.pretrain, duration),
            Cell::number(costs.epoch, duration),
            Cell::number(costs.forward, |ms| format!("{ms:.1} ms")),
            Cell::number(costs.score, |ms| format!("{ms:.1} ms")),
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
            "Means over runs; peak memory is the highest of any stage. Measured on: {}. Times on idle cores of other workers count only if \
             there are no others. Teacher features are computed once per category \
             and are not counted.",
            if devices.is_empty() { "no device yet" } else { &devices }
        )],
    }
}
