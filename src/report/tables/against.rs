//! Shows verdicts as tables: every variant compared with ST-FPM, or one trial compared with another.

use crate::analysis::{Groups, Verdict, is_significant};
use crate::report::reproduce::label;
use crate::report::table::{Cell, Column, Table, TableRow, Tone, count_value};
use crate::text::{p_value, short_p, signed};

/// Explains what an interval generalises to.
const INTERVALS: &str = "With fewer than 5 seeds, nothing is claimed. With 5 to 7 seeds, the interval is Student's t over seeds: \
     it generalises to other seeds on these images, not to other images. With 8 or more seeds, it is Student's t over seeds crossed with \
     test images. The images' part comes from a bootstrap that draws the images of a category once for all seeds and both variants. The \
     last column shows where this was not possible. Intervals are not adjusted, but p is: an interval can exclude 0 although the adjusted \
     p is not below 0.05.";

/// Explains which seeds count.
const COMPLETE: &str =
    "Only complete seeds count: seeds for which both sides have a number in each of these categories.";

/// Returns the table of every variant compared with ST-FPM.
pub(in crate::report) fn against_baseline(verdicts: &[Verdict], groups: &Groups<'_>) -> Table {
    let of = groups.categories.len();
    let row = |verdict: &Verdict| {
        let categories = Cell { text: format!("{} of {of}", verdict.categories), ..Cell::count(verdict.categories) };
        let variant = groups.variants.iter().find(|variant| verdict.belongs_to(&variant.trial, &variant.label));
        let label = variant.map_or_else(|| Cell::text(&verdict.variant), |variant| label(groups, variant));
        let starts = [label, metric(verdict), Cell::text(&verdict.verdict)];
        let ends = [categories, Cell::text(verdict.method.to_string())];
        TableRow { cells: starts.into_iter().chain(difference(verdict)).chain(ends).collect(), ..TableRow::default() }
    };
    let starts = [Column::label("variant"), Column::label("metric"), Column::prose("verdict")];
    let ends = [Column::number("categories", ["categories"]), Column::prose("interval by")];
    Table {
        name: "comparisons".to_owned(),
        title: groups.marked("Comparison with ST-FPM, re-run under the same protocol"),
        columns: starts.into_iter().chain(difference_columns()).chain(ends).collect(),
        rows: verdicts.iter().map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "Paired by category and seed. Each seed's difference is a mean over the categories in which both sides have a number. p is \
             adjusted over the variants of one metric (Holm). \"Better / equal / worse\" counts single category–seed pairs. {COMPLETE} \
             {INTERVALS}"
        )],
    }
}

/// Returns the metrics of one trial next to another's; all verdicts compare the same two trials.
pub(in crate::report) fn side_by_side(verdicts: &[&Verdict]) -> Table {
    let row = |verdict: &&Verdict| {
        let (mean, reference) = verdict.means;
        let means = [mean, reference].map(|mean| Cell::number(Some(mean), |mean| format!("{mean:.4}")));
        let starts = [metric(verdict), Cell::text(&verdict.verdict)];
        let ends = [Cell::count(verdict.categories), Cell::text(verdict.method.to_string())];
        let cells = starts.into_iter().chain(means).chain(difference(verdict)).chain(ends);
        TableRow { cells: cells.collect(), ..TableRow::default() }
    };
    let starts = [
        Column::label("metric"),
        Column::prose("verdict"),
        Column::number("mean", ["mean"]),
        Column::number("reference mean", ["reference_mean"]),
    ];
    let ends = [Column::number("categories", ["categories"]), Column::prose("interval by")];
    let over_categories = verdicts.iter().filter_map(|verdict| {
        Some(format!(
            "Wilcoxon over categories, {}: p (Holm) {}.",
            verdict.metric.label,
            p_value(verdict.over_categories?)
        ))
    });
    let title = verdicts.first().map(|first| format!("{} against {}", first.variant, first.reference));
    Table {
        name: "verdicts".to_owned(),
        title: title.unwrap_or_default(),
        columns: starts.into_iter().chain(difference_columns()).chain(ends).collect(),
        rows: verdicts.iter().map(row).collect(),
        remarks: None,
        notes: over_categories
            .chain([format!(
                "Paired by category and seed. p is adjusted over the trials that are compared in one metric (Holm). {COMPLETE} {INTERVALS}"
            )])
            .collect(),
    }
}

fn metric(verdict: &Verdict) -> Cell {
    Cell::text(verdict.metric.label)
}

fn difference_columns() -> [Column; 5] {
    [
        Column::number("mean difference", ["difference"]),
        Column::number("95 % confidence interval", ["low", "high"]),
        Column::number("p (Holm)", ["p_holm"]),
        Column::number("better / equal / worse", ["better", "equal", "worse"]),
        Column::number("seeds", ["seeds"]),
    ]
}

/// Returns the cells of the columns in [`difference_columns`].
fn difference(verdict: &Verdict) -> [Cell; 5] {
    let (better, equal, worse) = verdict.better_equal_worse;
    let counts = Cell {
        text: format!("{better} / {equal} / {worse}"),
        values: [better, equal, worse].map(count_value).to_vec(),
        ..Cell::default()
    };
    // The cell is coloured only if the test supports the difference.
    let tone = verdict.p.filter(|p| is_significant(*p)).map_or(Tone::Plain, |_| Tone::of(verdict.gain()));
    [
        Cell::number(Some(verdict.difference), signed).toned(tone),
        Cell::interval(verdict.interval),
        Cell::number(verdict.p, short_p),
        counts,
        Cell {
            text: verdict.without().map_or_else(|| verdict.seeds.to_string(), |w| format!("{}, {w}", verdict.seeds)),
            ..Cell::count(verdict.seeds)
        },
    ]
}
