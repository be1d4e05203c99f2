//! Wide shape: one row per run, with its metrics and costs as columns.

use std::collections::HashMap;
use std::io;

use super::frame::{Column, ColumnKind, RowWriter, Value};
use super::runs::{Run, Runs};
use crate::evaluate::Selection;
use crate::evaluate::{Fact, ResultName};
use crate::store::{AttemptState, CostRow, ResultRow};

/// Facts of the networks instead of an epoch; they are listed with the costs.
const COST_METRICS: [Fact; 2] = [Fact::Parameters, Fact::Flops];

/// Selection and name of each metric that the runs have.
pub(crate) struct MetricColumns(Vec<(Selection, ResultName)>);

impl MetricColumns {
    /// Sorts selected epochs first. `names` are in alphabetical order.
    pub(crate) fn of(names: Vec<(Selection, ResultName)>) -> Self {
        let mut numbers: Vec<_> =
            names.into_iter().filter(|(_, name)| COST_METRICS.iter().all(|fact| name != fact)).collect();
        numbers.sort_by_key(|(selection, _)| *selection);
        Self(numbers)
    }
}

pub(crate) fn columns(runs: &Runs, numbers: &MetricColumns) -> Vec<Column> {
    let numbers =
        numbers.0.iter().map(|(selection, name)| Column::new(format!("{selection}.{name}"), ColumnKind::Number));
    let costs = [
        ("parameters", ColumnKind::Integer),
        ("multiply_accumulates", ColumnKind::Integer),
        ("seconds", ColumnKind::Number),
        ("peak_bytes", ColumnKind::Integer),
        ("gpu_peak_bytes", ColumnKind::Integer),
        ("reason", ColumnKind::Text),
    ];
    runs.columns().into_iter().chain(numbers).chain(costs.map(|(name, kind)| Column::new(name, kind))).collect()
}

/// Writes a batch of runs.
pub(crate) fn write(
    runs: &Runs,
    numbers: &MetricColumns,
    batch: &[Run],
    (results, costs): (&[ResultRow], &[CostRow]),
    out: &mut dyn RowWriter,
) -> io::Result<()> {
    let values: HashMap<(&str, Selection, &ResultName), f64> =
        results.iter().filter_map(|row| Some(((row.run_id.as_str(), row.selection, &row.name), row.value?))).collect();
    let mut of_runs: HashMap<&str, Costs> = HashMap::new();
    costs.iter().for_each(|attempt| of_runs.entry(&attempt.run_id).or_default().add(attempt));
    for run in batch {
        let id = run.row.id.as_str();
        let value = |selection, name: &ResultName| values.get(&(id, selection, name)).copied();
        let mut row = runs.values(run);
        row.extend(numbers.0.iter().map(|(selection, name)| Value::of_number(value(*selection, name))));
        let costs = of_runs.remove(id).unwrap_or_default();
        row.extend([
            integer(value(Selection::Selected, &Fact::Parameters.into())),
            // A multiply-accumulate is two operations.
            integer(value(Selection::Selected, &Fact::Flops.into()).map(|operations| operations / 2.0)),
            Value::of_number(costs.seconds),
            integer(costs.peak),
            integer(costs.gpu_peak),
            Value::of_text(run.row.reason.as_deref()),
        ]);
        out.row(&row)?;
    }
    Ok(())
}

/// Costs of a run's stages, shared ones included: seconds of all attempts, peaks of the finished ones.
#[derive(Default)]
struct Costs {
    seconds: Option<f64>,
    peak: Option<f64>,
    gpu_peak: Option<f64>,
}

impl Costs {
    fn add(&mut self, attempt: &CostRow) {
        self.seconds = combine(self.seconds, attempt.seconds, |sum, seconds| sum + seconds);
        if attempt.state == AttemptState::Done {
            let further: serde_json::Value = serde_json::from_str(&attempt.costs).unwrap_or_default();
            self.peak = combine(self.peak, attempt.peak_rss_bytes.map(|bytes| bytes as f64), f64::max);
            self.gpu_peak = combine(self.gpu_peak, further["device_peak_bytes"].as_f64(), f64::max);
        }
    }
}

/// Combines two values with `merge` if both are present; otherwise returns the one that is present.
fn combine(first: Option<f64>, second: Option<f64>, merge: fn(f64, f64) -> f64) -> Option<f64> {
    match (first, second) {
        (Some(first), Some(second)) => Some(merge(first, second)),
        (first, second) => first.or(second),
    }
}

/// Converts a count or a number of bytes, which a float holds exactly.
fn integer(number: Option<f64>) -> Value<'static> {
    number.map_or(Value::Absent, |number| Value::Integer(number as i64))
}
