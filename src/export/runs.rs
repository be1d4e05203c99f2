//! The runs of an export, and the first columns of every row.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::frame::{Column, ColumnKind, Value};
use crate::analysis::{Tuned, tuned_of};
use crate::plan::trial_id;
use crate::store::{RunRow, Store, StoreError};
use crate::text::exact;

/// Runs of a sweep, ordered by trial, category and seed.
pub(crate) struct Runs {
    pub rows: Vec<Run>,
    sweep: String,
    /// One column per axis, in alphabetical order.
    axes: Vec<Column>,
    /// The chosen trials, if the sweep chooses any.
    tuned: Option<Tuned>,
}

/// A run with its values of the searched axes.
pub(crate) struct Run {
    pub row: RunRow,
    axes: Vec<Value<'static>>,
}

/// Values of searched axes by dotted name.
type Axes = BTreeMap<String, Json>;

impl Runs {
    pub(crate) async fn read(store: &Store, sweep: &str) -> Result<Self, StoreError> {
        let row = store.sweep_row(sweep).await?;
        let tuned = tuned_of(store, &row).await?;
        Ok(Self::of(row.name, store.run_rows(sweep).await?, tuned))
    }

    fn of(sweep: String, rows: Vec<RunRow>, tuned: Option<Tuned>) -> Self {
        let all: Vec<Axes> = rows.iter().map(|row| serde_json::from_str(&row.axes).unwrap_or_default()).collect();
        let mut kinds: BTreeMap<&str, ColumnKind> = BTreeMap::new();
        for (name, value) in all.iter().flatten() {
            let kind = kind(value);
            kinds.entry(name).and_modify(|known| *known = common_kind(*known, kind)).or_insert(kind);
        }
        let axes: Vec<Column> = kinds.into_iter().map(|(name, kind)| Column::new(name, kind)).collect();
        let values = |of_run: &Axes| axes.iter().map(|axis| value(of_run.get(&axis.name), axis.kind)).collect();
        let values: Vec<Vec<Value<'static>>> = all.iter().map(values).collect();
        let rows = rows.into_iter().zip(values).map(|(row, axes)| Run { row, axes }).collect();
        Self { rows, sweep, axes, tuned }
    }

    /// Returns the first columns of every row.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let facts = [
            ("sweep", ColumnKind::Text),
            ("run", ColumnKind::Text),
            ("trial", ColumnKind::Text),
            ("short_id", ColumnKind::Text),
            ("variant", ColumnKind::Text),
            ("baseline", ColumnKind::Boolean),
            ("protocol", ColumnKind::Text),
            ("category", ColumnKind::Text),
            ("seed", ColumnKind::Integer),
            ("state", ColumnKind::Text),
        ];
        let of_choice = [("chosen", ColumnKind::Boolean), ("judges", ColumnKind::Boolean)];
        let of_choice = of_choice.into_iter().filter(|_| self.tuned.is_some());
        let facts = facts.into_iter().chain(of_choice).map(|(name, kind)| Column::new(name, kind));
        facts.chain(self.axes.iter().cloned()).collect()
    }

    /// Returns a run's values of [`Self::columns`].
    pub(crate) fn values<'r>(&'r self, run: &'r Run) -> Vec<Value<'r>> {
        let row = &run.row;
        let text = |text: &'r str| Value::Text(text.into());
        let facts = [
            text(&self.sweep),
            text(&row.id),
            text(&row.trial_id),
            Value::Text(trial_id(row.number).into()),
            text(&row.variant),
            Value::Boolean(row.baseline),
            text(&row.protocol_id),
            text(&row.category),
            Value::Integer(row.seed),
            text(row.state.name()),
        ];
        // Whether the trial is a chosen one, and whether this run is one of those that compare the chosen trials.
        let of_choice = self.tuned.iter().flat_map(|tuned| {
            let chosen = tuned.choices.iter().any(|choice| choice.trial == row.trial_id);
            let judges = chosen && tuned.seeds.contains(&(row.seed as u64));
            [chosen, judges].map(Value::Boolean)
        });
        facts.into_iter().chain(of_choice).chain(run.axes.iter().cloned()).collect()
    }
}

/// Returns the keys of some runs.
pub(crate) fn ids(runs: &[Run]) -> Vec<&str> {
    runs.iter().map(|run| run.row.id.as_str()).collect()
}

fn kind(value: &Json) -> ColumnKind {
    match value {
        Json::Bool(_) => ColumnKind::Boolean,
        Json::Number(number) if number.is_i64() => ColumnKind::Integer,
        Json::Number(_) => ColumnKind::Number,
        _ => ColumnKind::Text,
    }
}

/// Returns the type that can hold values of both types.
fn common_kind(first: ColumnKind, second: ColumnKind) -> ColumnKind {
    match (first, second) {
        _ if first == second => first,
        (ColumnKind::Integer, ColumnKind::Number) | (ColumnKind::Number, ColumnKind::Integer) => ColumnKind::Number,
        _ => ColumnKind::Text,
    }
}

fn value(json: Option<&Json>, kind: ColumnKind) -> Value<'static> {
    let Some(json) = json else { return Value::Absent };
    let value = match kind {
        ColumnKind::Boolean => json.as_bool().map(Value::Boolean),
        ColumnKind::Integer => json.as_i64().map(Value::Integer),
        ColumnKind::Number => json.as_f64().map(Value::Number),
        ColumnKind::Text => Some(Value::Text(exact(json).into())),
    };
    value.unwrap_or(Value::Absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_the_type_that_holds_all_its_values() {
        use serde_json::json;
        let kinds = |values: &[Json]| values.iter().map(kind).reduce(common_kind).expect("some");
        assert_eq!(kinds(&[json!(1), json!(2)]), ColumnKind::Integer);
        assert_eq!(kinds(&[json!(1), json!(0.5)]), ColumnKind::Number);
        assert_eq!(kinds(&[json!(1), json!("auto"), json!(0.5)]), ColumnKind::Text);
        assert_eq!(value(Some(&json!([1, 2])), ColumnKind::Text), Value::Text("[1,2]".into()));
        assert_eq!(value(Some(&json!(2)), ColumnKind::Number), Value::Number(2.0));
        assert_eq!(value(None, ColumnKind::Number), Value::Absent);
    }
}
