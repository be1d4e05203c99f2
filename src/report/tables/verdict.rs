//! The table of the verdict: for each metric, the variant that answers the question.

use crate::analysis::{Costs, Groups, Variant, Verdict, is_significant};
use crate::report::table::{Cell, Column, Table, TableRow, Tone};
use crate::text::{short_p, signed};

/// Returns one row per metric: its best variant, and what the test says about it; `None` if nothing is compared. A note has the cost of the
/// first metric's best variant; `costs` belong to the variants of `groups`.
pub(super) fn verdict(verdicts: &[Verdict], groups: &Groups<'_>, costs: &[Costs]) -> Option<Table> {
    let first = verdicts.first()?;
    let of = |is_wanted: &dyn Fn(&Variant) -> bool| {
        groups.variants.iter().zip(costs).find(|(variant, _)| is_wanted(variant)).map(|(_, costs)| costs)
    };
    let cost = by_metric(verdicts).next().and_then(best).and_then(|best| {
        let ours = of(&|variant| best.belongs_to(&variant.trial, &variant.label))?;
        let cost = ours.relative_to(of(&|variant| variant.baseline)?)?;
        Some(format!("Cost of {} beside {}: {cost}.", best.variant, best.reference))
    });
    let rows: Vec<TableRow> = by_metric(verdicts).filter_map(best).map(row).collect();
    Some(Table {
        name: "verdict".to_owned(),
        title: groups.marked(&format!("The best variant against {}, metric by metric", first.reference)),
        columns: vec![
            Column::label("metric"),
            Column::label("variant"),
            Column::prose("verdict"),
            Column::number("difference", ["difference"]),
            Column::number("95 % interval", ["low", "high"]),
            Column::number("p (Holm)", ["p_holm"]),
            Column::number("seeds", ["seeds"]),
        ],
        rows,
        remarks: None,
        notes: cost.into_iter().collect(),
    })
}

/// Returns the verdicts of each metric, in the order of the metrics.
pub(in crate::report) fn by_metric(verdicts: &[Verdict]) -> impl Iterator<Item = &[Verdict]> {
    verdicts.chunk_by(|one, other| one.metric == other.metric)
}

/// Returns the verdict that answers for its metric. A variant that is better by the test comes before one that only has a higher mean.
pub(in crate::report) fn best(of_metric: &[Verdict]) -> Option<&Verdict> {
    let is_better = |verdict: &Verdict| verdict.p.is_some_and(is_significant) && verdict.gain() > 0.0;
    let key = |verdict: &&Verdict| (is_better(verdict), verdict.gain());
    of_metric.iter().max_by(|one, other| {
        let ((one_better, one), (other_better, other)) = (key(one), key(other));
        one_better.cmp(&other_better).then(one.total_cmp(&other))
    })
}

fn row(verdict: &Verdict) -> TableRow {
    let tone = verdict.p.filter(|p| is_significant(*p)).map_or(Tone::Plain, |_| Tone::of(verdict.gain()));
    let cells = vec![
        Cell::text(verdict.metric.label),
        Cell::text(&verdict.variant),
        Cell::text(&verdict.verdict),
        Cell::number(Some(verdict.difference), signed).toned(tone),
        Cell::interval(verdict.interval),
        Cell::number(verdict.p, short_p),
        Cell::count(verdict.seeds),
    ];
    TableRow { cells, ..TableRow::default() }
}
