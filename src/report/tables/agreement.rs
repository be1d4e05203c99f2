//! How far what guided a search agrees with the test.

use crate::analysis::{Groups, METRICS, Variant};
use crate::config::Objective;
use crate::evaluate::Selection;
use crate::report::reproduce::label;
use crate::report::table;
use crate::report::table::{Cell, Column, Row, Table};
use crate::statistics::{spearman, summary};
use crate::store::RunRow;

/// Each trial's mean objective beside its test numbers, and how far the two agree; none where nothing guided a search.
pub(super) fn agreement(groups: &Groups<'_>) -> Option<Table> {
    let objective = groups.guidance.objective()?;
    let trials = trials(groups, objective.result());
    let whole: Vec<&TrialMeans> = trials.iter().filter(|trial| trial.runs > 0 && trial.runs == trial.of).collect();
    let pairs: Vec<(f64, f64)> = whole.iter().filter_map(|trial| Some((trial.objective?, trial.test[0]?))).collect();
    let show = |value: Option<f64>| Cell::number(value, |value| format!("{value:.4}"));
    let row = |trial: &TrialMeans<'_>| {
        let runs = Cell {
            text: format!("{} of {}", trial.runs, trial.of),
            values: [trial.runs, trial.of].map(table::whole).to_vec(),
            ..Cell::default()
        };
        let starts = [label(groups, trial.variant), runs, show(trial.objective)];
        Row { baseline: trial.variant.baseline, cells: starts.into_iter().chain(trial.test.map(show)).collect() }
    };
    let starts = [
        Column::label("variant"),
        Column::number("runs", ["runs", "runs_of"]),
        Column::number(format!("mean {}", objective.result()), ["objective"]),
    ];
    let tests = METRICS.map(|(name, label)| Column::number(format!("mean {label}"), [name]));
    Some(Table {
        name: "objective".to_owned(),
        title: groups.marked("What guided the search, beside the test"),
        columns: starts.into_iter().chain(tests).collect(),
        rows: trials.iter().map(row).collect(),
        remarks: None,
        notes: matches!(objective, Objective::PseudoPixelAuroc).then(|| rank_correlation(&pairs)).into_iter().collect(),
    })
}

/// "Spearman's rank correlation … is 0.83 over 12 trials".
fn rank_correlation(pairs: &[(f64, f64)]) -> String {
    let (ours, test): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let question = "Spearman's rank correlation between the objective and test pixel AUROC";
    match spearman(&ours, &test) {
        Some(correlation) => {
            let correlation = format!("{correlation:.2}").replace('-', "−");
            format!(
                "{question} is {correlation} over the {} trials whose runs all have both. It describes these trials: near 1, \
                 painted defects rank them as real ones do; near 0 or below, they do not.",
                pairs.len()
            )
        }
        None => format!(
            "{question} is not told: it needs three trials that differ and whose runs all have both, here are {}.",
            pairs.len()
        ),
    }
}

/// Means of one trial over its runs that have both the objective and a pixel AUROC.
struct TrialMeans<'g> {
    variant: &'g Variant,
    runs: usize,
    of: usize,
    objective: Option<f64>,
    /// As [`METRICS`].
    test: [Option<f64>; METRICS.len()],
}

fn trials<'g>(groups: &'g Groups<'_>, objective: &str) -> Vec<TrialMeans<'g>> {
    let mean = |values: Vec<f64>| summary(&values).map(|summary| summary.mean);
    let means = |variant: &'g Variant| {
        let all: Vec<_> = groups.of_variant(variant).collect();
        let value = |run: &RunRow, name: &str| groups.value(run, Selection::Selected, name);
        let both: Vec<_> =
            all.iter().filter(|run| value(run, objective).is_some() && value(run, METRICS[0].0).is_some()).collect();
        let of = |name: &str| mean(both.iter().filter_map(|run| value(run, name)).collect());
        TrialMeans {
            variant,
            runs: both.len(),
            of: all.len(),
            objective: of(objective),
            test: METRICS.map(|(name, _)| of(name)),
        }
    };
    groups.variants.iter().map(means).collect()
}
