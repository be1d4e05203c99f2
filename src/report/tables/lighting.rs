//! Results under each lighting of the test images, and how far they drop from the lighting of the training images.

use std::collections::BTreeMap;

use crate::analysis::{Groups, OF_TRAINING, Variant};
use crate::evaluate::metrics::Metric;
use crate::evaluate::{Lit, Selection};
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::summary;

/// Returns one table per metric: a row per variant, a column per lighting, and the drop. There is none if the data set names no lighting.
pub(in crate::report) fn lighting(groups: &Groups<'_>) -> Vec<Table> {
    match groups.lightings.names.is_empty() {
        true => Vec::new(),
        false => groups.lightings.metrics.iter().map(|metric| table(groups, *metric)).collect(),
    }
}

fn table(groups: &Groups<'_>, metric: Metric) -> Table {
    let names = &groups.lightings.names;
    let categories: Vec<&str> = groups.categories.iter().map(|(category, _)| category.as_str()).collect();
    let by_seed = |variant: &Variant, name: &String| -> BTreeMap<i64, f64> {
        groups.means(variant, &categories, Selection::Selected, Lit(metric, name)).into_iter().collect()
    };
    let row = |variant: &Variant| {
        let of: Vec<BTreeMap<i64, f64>> = names.iter().map(|name| by_seed(variant, name)).collect();
        let means = of.iter().map(|seeds| Cell::of_seeds(summary(&seeds.values().copied().collect::<Vec<_>>())));
        let dropped = summary(&drops(names, &of));
        let cells = std::iter::once(Cell::text(&variant.label)).chain(means).chain([Cell::of_seeds(dropped)]).collect();
        TableRow { baseline: variant.baseline, cells }
    };
    let fields = |name: &str| ["mean", "sd"].map(|field| format!("{name}.{field}"));
    let columns = names.iter().map(|name| Column::number(name, fields(name)));
    let count = categories.len();
    let over = if count == 1 { String::new() } else { format!(" of the means over {count} categories") };
    Table {
        name: format!("lighting-{metric}"),
        title: groups.marked(&format!("{} under each lighting", metric.label)),
        columns: std::iter::once(Column::label("variant"))
            .chain(columns)
            .chain([Column::number("drop", fields("drop"))])
            .collect(),
        rows: groups.variants.iter().map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "Mean ± standard deviation over seeds{over}. The drop is the result under the lighting of the training images \
             ({OF_TRAINING}) minus the mean of the other lightings."
        )],
    }
}

/// Returns the drop of each seed that has all lightings; nothing if the lighting of the training images is not among them.
fn drops(names: &[String], of: &[BTreeMap<i64, f64>]) -> Vec<f64> {
    let Some((regular, others)) = of.split_first().filter(|(_, others)| names[0] == OF_TRAINING && !others.is_empty())
    else {
        return Vec::new();
    };
    let drop = |(seed, regular): (&i64, &f64)| {
        let others: Option<Vec<f64>> = others.iter().map(|seeds| seeds.get(seed).copied()).collect();
        let others = others?;
        Some(regular - others.iter().sum::<f64>() / others.len() as f64)
    };
    regular.iter().filter_map(drop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drop_needs_every_lighting_of_a_seed_and_that_of_the_training_images() {
        let names = ["regular", "overexposed", "shift_1"].map(str::to_owned);
        let seeds = |values: &[(i64, f64)]| values.iter().copied().collect::<BTreeMap<_, _>>();
        let of = [seeds(&[(0, 0.9), (1, 0.8)]), seeds(&[(0, 0.5), (1, 0.7)]), seeds(&[(0, 0.3)])];
        let found = drops(&names, &of);
        assert!(found.len() == 1 && (found[0] - 0.5).abs() < 1e-12, "{found:?}");
        assert!(drops(&names[1..], &of[1..]).is_empty());
        assert!(drops(&names[..1], &of[..1]).is_empty());
    }
}
