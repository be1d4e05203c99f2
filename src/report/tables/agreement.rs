//! The table that shows how well the search's objective agrees with the test results.

use crate::analysis::{Groups, Variant};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::reproduce::label;
use crate::report::table;
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::{spearman, summary};
use crate::store::RunRow;

/// Returns each trial's mean objective next to its test numbers, and how well the two agree; `None` if no objective guided the search.
pub(super) fn agreement(groups: &Groups<'_>) -> Option<Table> {
    let objective = groups.guidance.objective()?;
    let trials = trials(groups, objective.metric());
    let pairs = pairs(&trials);
    let show = |value: Option<f64>| Cell::number(value, |value| format!("{value:.4}"));
    let row = |trial: &TrialMeans<'_>| {
        let runs = Cell {
            text: format!("{} of {}", trial.runs, trial.all_runs),
            values: [trial.runs, trial.all_runs].map(table::count_value).to_vec(),
            ..Cell::default()
        };
        let starts = [label(groups, trial.variant), runs, show(trial.objective)];
        TableRow {
            baseline: trial.variant.baseline,
            cells: starts.into_iter().chain(trial.test.iter().copied().map(show)).collect(),
        }
    };
    let starts = [
        Column::label("variant"),
        Column::number("runs", ["runs", "runs_of"]),
        Column::number(format!("mean {}", objective.metric()), ["objective"]),
    ];
    let tests = groups.metrics.iter().map(|metric| Column::number(format!("mean {}", metric.label), [metric.name]));
    Some(Table {
        name: "objective".to_owned(),
        title: groups.marked("Objective of the search and test results"),
        columns: starts.into_iter().chain(tests).collect(),
        rows: trials.iter().map(row).collect(),
        remarks: None,
        notes: (!objective.is_on_test()).then(|| rank_correlation(groups.first_metric(), &pairs)).into_iter().collect(),
    })
}

/// Returns the rank correlation between an objective that saw no test image and the first metric, with the number of trials.
pub(in crate::report) fn objective_correlation(groups: &Groups<'_>) -> Option<(f64, usize)> {
    let objective = groups.guidance.objective().filter(|objective| !objective.is_on_test())?;
    let pairs = pairs(&trials(groups, objective.metric()));
    let test = groups.first_metric();
    let (objectives, tests): (Vec<f64>, Vec<f64>) =
        pairs.iter().map(|(objective, value)| (*objective, test.direction.gain(*value))).unzip();
    Some((spearman(&objectives, &tests)?, pairs.len()))
}

/// Returns the means of the objective and of the first metric, for the trials whose runs all have both.
fn pairs(trials: &[TrialMeans<'_>]) -> Vec<(f64, f64)> {
    let complete = trials.iter().filter(|trial| trial.runs > 0 && trial.runs == trial.all_runs);
    complete.filter_map(|trial| Some((trial.objective?, trial.test[0]?))).collect()
}

/// Describes the agreement: "Spearman's rank correlation … is 0.83 over 12 trials".
fn rank_correlation(test: Metric, pairs: &[(f64, f64)]) -> String {
    let (objectives, tests): (Vec<f64>, Vec<f64>) =
        pairs.iter().map(|(objective, value)| (*objective, test.direction.gain(*value))).unzip();
    let question = format!("Spearman's rank correlation between the objective and test {}", test.label);
    match spearman(&objectives, &tests) {
        Some(correlation) => {
            let correlation = format!("{correlation:.2}").replace('-', "−");
            format!(
                "{question} is {correlation} over the {} trials whose runs all have both numbers. It describes only these trials. Near \
                 1, painted defects rank the trials as real defects do; near 0 or below, they do not.",
                pairs.len()
            )
        }
        None => format!(
            "{question} is undefined: it needs at least three trials that differ and whose runs all have both numbers. There are {}.",
            pairs.len()
        ),
    }
}

/// Means of one trial over its runs that have both the objective and the first metric.
struct TrialMeans<'g> {
    variant: &'g Variant,
    /// Number of these runs.
    runs: usize,
    /// Number of all its runs.
    all_runs: usize,
    objective: Option<f64>,
    /// Mean of each metric that the report shows.
    test: Vec<Option<f64>>,
}

fn trials<'g>(groups: &'g Groups<'_>, objective: Metric) -> Vec<TrialMeans<'g>> {
    let mean = |values: Vec<f64>| summary(&values).map(|summary| summary.mean);
    let means = |variant: &'g Variant| {
        let all: Vec<_> = groups.of_variant(variant).collect();
        let value = |run: &RunRow, metric: Metric| groups.value(run, Selection::Selected, metric);
        let first = groups.first_metric();
        let both: Vec<_> =
            all.iter().filter(|run| value(run, objective).is_some() && value(run, first).is_some()).collect();
        let of = |metric: Metric| mean(both.iter().filter_map(|run| value(run, metric)).collect());
        TrialMeans {
            variant,
            runs: both.len(),
            all_runs: all.len(),
            objective: of(objective),
            test: groups.metrics.iter().map(|metric| of(*metric)).collect(),
        }
    };
    groups.variants.iter().map(means).collect()
}
