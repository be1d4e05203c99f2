//! Tables of the effects of each search axis.

use super::table::{Cell, Column, Table, TableRow};
use crate::analysis::{AxisEffect, Effects, Groups, LevelEffect, UnmeasuredLevel};
use crate::statistics::Share;
use crate::text::signed;

/// Number of axis pairs that a table shows.
const SHOWN_PAIRS: usize = 5;

/// Returns the shares of the variance, if several axes share it, then each metric's levels, then what is left out and why. Returns an empty
/// list if nothing was searched.
pub(super) fn tables(effects: &[Effects], groups: &Groups<'_>) -> Vec<Table> {
    let Some(first) = effects.first() else { return Vec::new() };
    // A single axis explains everything that axes can explain.
    let shared = first.axes.len() > 1 && effects.iter().any(|of_metric| of_metric.unmeasured.is_empty());
    let levels_note = "Levels: mean difference from the mean of all levels with the same category and seed, over the \
                       categories and seeds that have runs of every level. With at least 5 seeds, the interval is Student's t over \
                       seeds. It holds for these images only and is not adjusted.";
    let shares_note = format!(
        "Shares: functional analysis of variance (fANOVA) of {} runs of {} trials with a random forest (Hutter et al. 2014), mean ± \
         standard deviation over the trees. The explained variable is a run's difference from its category's mean. \"By chance\": the \
         share that this setting would exceed once in twenty times if it had no effect, from shuffling its levels among the trials. It is \
         not adjusted for the number of settings.{} {levels_note} If the search did not try all levels equally, the levels of one axis also \
         differ in the values of the other axes.",
        first.runs,
        first.trials,
        between_seeds(effects)
    );
    let note = if shared { shares_note } else { levels_note.to_owned() };
    let mut tables: Vec<Table> = shared.then(|| shares(effects, first, groups)).into_iter().collect();
    tables.extend(effects.iter().map(|of_metric| levels(of_metric, groups)).filter(|table| !table.rows.is_empty()));
    tables.iter_mut().for_each(|table| table.notes.push(note.clone()));
    tables.extend(left_out(effects, groups));
    tables
}

/// Returns a table of what the others leave out, with the reasons; `None` if they leave out nothing.
fn left_out(effects: &[Effects], groups: &Groups<'_>) -> Option<Table> {
    let mut reasons: Vec<(String, String)> = Vec::new();
    let mut add = |setting: String, reason: String| {
        if !reasons.contains(&(setting.clone(), reason.clone())) {
            reasons.push((setting, reason));
        }
    };
    for of_metric in effects {
        for axis in of_metric.axes.iter().filter(|axis| axis.continuous) {
            let reason = "Its values were drawn from a range and few repeat, so it has no levels. The figure of all runs by setting \
                          shows the results along it.";
            add(axis.axis.clone(), reason.to_owned());
        }
        for UnmeasuredLevel { axis, level, finished } in &of_metric.unmeasured {
            let missing = match finished {
                false => "It has no finished run".to_owned(),
                true => format!("It has no run with a value of {}", of_metric.metric.label),
            };
            add(format!("{axis} = {level}"), format!("{missing}, so no shares of the variance are given."));
        }
    }
    let row = |(setting, reason): (String, String)| TableRow {
        cells: vec![Cell::text(setting), Cell::text(reason)],
        ..TableRow::default()
    };
    (!reasons.is_empty()).then(|| Table {
        name: "effects-left-out".to_owned(),
        title: groups.marked("What is left out, and why"),
        columns: vec![Column::label("setting"), Column::prose("reason")],
        rows: reasons.into_iter().map(row).collect(),
        remarks: None,
        notes: Vec::new(),
    })
}

/// Returns " Seeds account for 12 % (pixel AUROC) of the variance …"; empty if no share of seeds is known.
fn between_seeds(effects: &[Effects]) -> String {
    let share =
        |of_metric: &Effects| Some(format!("{:.0} % ({})", 100.0 * of_metric.seeds_share?, of_metric.metric.label));
    let shares: Vec<String> = effects.iter().filter_map(share).collect();
    match shares.is_empty() {
        true => String::new(),
        false => format!(
            " Seeds account for {} of the variance of runs within a category: this variance lies between runs that differ in the seed \
             alone. No setting explains it, and it does not add up with the shares above.",
            shares.join(", ")
        ),
    }
}

fn shares(effects: &[Effects], first: &Effects, groups: &Groups<'_>) -> Table {
    let row = |name: String, shares: Vec<Cell>| TableRow {
        cells: std::iter::once(Cell::text(name)).chain(shares).collect(),
        ..TableRow::default()
    };
    let axes = first.axes.iter().enumerate().map(|(place, axis)| {
        let of_metric = |of_metric: &Effects| {
            let axis = &of_metric.axes[place];
            share(axis.share, axis.by_chance)
        };
        row(axis.axis.clone(), effects.iter().map(of_metric).collect())
    });
    let pairs = first.pairs.iter().take(SHOWN_PAIRS).map(|pair| {
        let of_metric = |of_metric: &Effects| {
            let pair = of_metric.pairs.iter().find(|other| other.axes == pair.axes);
            share(pair.map(|pair| pair.share), pair.and_then(|pair| pair.by_chance))
        };
        row(format!("{} with {}", pair.axes.0, pair.axes.1), effects.iter().map(of_metric).collect())
    });
    let columns = effects.iter().map(|of_metric| {
        let fields = ["share", "sd", "by_chance"].map(|field| format!("{}.{field}", of_metric.metric));
        Column::number(of_metric.metric.label, fields)
    });
    Table {
        name: "effects".to_owned(),
        title: groups.marked("Effect of each setting: share of the variance"),
        columns: std::iter::once(Column::label("axis")).chain(columns).collect(),
        rows: axes.chain(pairs).collect(),
        remarks: None,
        notes: Vec::new(),
    }
}

fn levels(of_metric: &Effects, groups: &Groups<'_>) -> Table {
    let levels = |axis: &AxisEffect| {
        axis.levels.iter().enumerate().map(|(place, level)| row(axis, level, place == 0)).collect::<Vec<_>>()
    };
    Table {
        name: format!("effects-{}", of_metric.metric),
        title: groups.marked(&format!("Levels: {}", of_metric.metric.label)),
        columns: vec![
            Column::label("axis"),
            Column::label("level"),
            Column::number("runs", ["runs"]),
            Column::number("effect", ["effect"]),
            Column::number("95 % confidence interval", ["low", "high"]),
        ],
        rows: of_metric.axes.iter().flat_map(levels).collect(),
        remarks: None,
        notes: Vec::new(),
    }
}

/// Returns one row per level. The axis' name is visible only in the row of its first level.
fn row(axis: &AxisEffect, level: &LevelEffect, first: bool) -> TableRow {
    let name = Cell::text(&axis.axis);
    let cells = vec![
        if first { name } else { Cell { text: String::new(), ..name } },
        Cell::text(&level.level),
        Cell::count(level.runs),
        Cell::number(level.effect, signed),
        Cell::interval(level.interval),
    ];
    TableRow { cells, ..TableRow::default() }
}

/// Returns a cell like "34 ± 5 %, by chance 12 %".
fn share(share: Option<Share>, by_chance: Option<f64>) -> Cell {
    let text = |share: Share| {
        let by_chance = by_chance.map(|share| format!(", by chance {:.0} %", 100.0 * share));
        format!("{:.0} ± {:.0} %{}", 100.0 * share.mean, 100.0 * share.deviation, by_chance.unwrap_or_default())
    };
    Cell::numbers(
        share.map_or_else(|| "–".to_owned(), text),
        [share.map(|share| share.mean), share.map(|share| share.deviation), by_chance],
    )
}
