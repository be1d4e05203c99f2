//! A row a run, with its numbers and costs beside each other.

use std::collections::HashMap;
use std::io;

use super::frame::{Column, Kind, RowWriter, Value};
use super::runs::{Run, Runs};
use crate::evaluate::Selection;
use crate::evaluate::{Fact, ResultName};
use crate::store::{AttemptState, CostRow, ResultRow};

/// Numbers of the networks, not of an epoch: they stand among the costs.
const OF_NETWORKS: [Fact; 2] = [Fact::Parameters, Fact::Flops];

/// Which numbers the runs have: selection and name.
pub(crate) struct Numbers(Vec<(Selection, ResultName)>);

impl Numbers {
    /// Selected epochs first; `names` in alphabetical order.
    pub(crate) fn of(names: Vec<(Selection, ResultName)>) -> Self {
        let mut numbers: Vec<_> =
            names.into_iter().filter(|(_, name)| OF_NETWORKS.iter().all(|fact| name != fact)).collect();
        numbers.sort_by_key(|(selection, _)| *selection);
        Self(numbers)
    }
}

pub(crate) fn columns(runs: &Runs, numbers: &Numbers) -> Vec<Column> {
    let numbers = numbers.0.iter().map(|(selection, name)| Column::new(format!("{selection}.{name}"), Kind::Number));
    let costs = [
        ("parameters", Kind::Whole),
        ("multiply_accumulates", Kind::Whole),
        ("seconds", Kind::Number),
        ("peak_bytes", Kind::Whole),
        ("gpu_peak_bytes", Kind::Whole),
        ("reason", Kind::Text),
    ];
    runs.columns().into_iter().chain(numbers).chain(costs.map(|(name, kind)| Column::new(name, kind))).collect()
}

/// Writes a batch of runs.
pub(crate) fn write(
    runs: &Runs,
    numbers: &Numbers,
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
            whole(value(Selection::Selected, &Fact::Parameters.into())),
            // A multiply-accumulate is two operations.
            whole(value(Selection::Selected, &Fact::Flops.into()).map(|operations| operations / 2.0)),
            Value::of_number(costs.seconds),
            whole(costs.peak),
            whole(costs.gpu_peak),
            Value::of_text(run.row.reason.as_deref()),
        ]);
        out.row(&row)?;
    }
    Ok(())
}

/// What the stages of a run took, those that it shares with others included: seconds of all attempts, peaks of those that finished.
#[derive(Default)]
struct Costs {
    seconds: Option<f64>,
    peak: Option<f64>,
    gpu_peak: Option<f64>,
}

impl Costs {
    fn add(&mut self, attempt: &CostRow) {
        self.seconds = join(self.seconds, attempt.seconds, |sum, seconds| sum + seconds);
        if attempt.state == AttemptState::Done {
            let further: serde_json::Value = serde_json::from_str(&attempt.costs).unwrap_or_default();
            self.peak = join(self.peak, attempt.peak_rss_bytes.map(|bytes| bytes as f64), f64::max);
            self.gpu_peak = join(self.gpu_peak, further["device_peak_bytes"].as_f64(), f64::max);
        }
    }
}

fn join(one: Option<f64>, other: Option<f64>, both: fn(f64, f64) -> f64) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

/// Counts and bytes; a float holds them exactly.
fn whole(number: Option<f64>) -> Value<'static> {
    number.map_or(Value::Absent, |number| Value::Whole(number as i64))
}
