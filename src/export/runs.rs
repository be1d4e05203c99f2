//! The runs of an export, and the columns that every row begins with.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::frame::{Column, Kind, Value};
use crate::plan::trial_id;
use crate::store::{RunRow, Store, StoreError};
use crate::text::exact;

/// The runs of a sweep: by trial, category, seed.
pub(crate) struct Runs {
    pub rows: Vec<Run>,
    sweep: String,
    /// A column an axis, in alphabetical order.
    axes: Vec<Column>,
}

/// A run.
pub(crate) struct Run {
    pub row: RunRow,
    axes: Vec<Value<'static>>,
}

/// Searched values by dotted name.
type Axes = BTreeMap<String, Json>;

impl Runs {
    pub(crate) async fn read(store: &Store, sweep: &str) -> Result<Self, StoreError> {
        let name = store.sweep_row(sweep).await?.name;
        Ok(Self::of(name, store.run_rows(sweep).await?))
    }

    fn of(sweep: String, rows: Vec<RunRow>) -> Self {
        let all: Vec<Axes> = rows.iter().map(|row| serde_json::from_str(&row.axes).unwrap_or_default()).collect();
        let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
        for (name, value) in all.iter().flatten() {
            let kind = kind(value);
            kinds.entry(name).and_modify(|known| *known = common(*known, kind)).or_insert(kind);
        }
        let axes: Vec<Column> = kinds.into_iter().map(|(name, kind)| Column::new(name, kind)).collect();
        let values = |of_run: &Axes| axes.iter().map(|axis| value(of_run.get(&axis.name), axis.kind)).collect();
        let values: Vec<Vec<Value<'static>>> = all.iter().map(values).collect();
        let rows = rows.into_iter().zip(values).map(|(row, axes)| Run { row, axes }).collect();
        Self { rows, sweep, axes }
    }

    /// What every row begins with.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let facts = [
            ("sweep", Kind::Text),
            ("run", Kind::Text),
            ("trial", Kind::Text),
            ("short_id", Kind::Text),
            ("variant", Kind::Text),
            ("baseline", Kind::Truth),
            ("protocol", Kind::Text),
            ("category", Kind::Text),
            ("seed", Kind::Whole),
            ("state", Kind::Text),
        ];
        let facts = facts.into_iter().map(|(name, kind)| Column::new(name, kind));
        facts.chain(self.axes.iter().cloned()).collect()
    }

    /// As [`Self::columns`].
    pub(crate) fn values<'r>(&'r self, run: &'r Run) -> Vec<Value<'r>> {
        let row = &run.row;
        let text = |text: &'r str| Value::Text(text.into());
        let facts = [
            text(&self.sweep),
            text(&row.id),
            text(&row.trial_id),
            Value::Text(trial_id(row.number).into()),
            text(&row.variant),
            Value::Truth(row.baseline),
            text(&row.protocol_id),
            text(&row.category),
            Value::Whole(row.seed),
            text(row.state.name()),
        ];
        facts.into_iter().chain(run.axes.iter().cloned()).collect()
    }
}

/// Keys of some runs.
pub(crate) fn ids(runs: &[Run]) -> Vec<&str> {
    runs.iter().map(|run| run.row.id.as_str()).collect()
}

fn kind(value: &Json) -> Kind {
    match value {
        Json::Bool(_) => Kind::Truth,
        Json::Number(number) if number.is_i64() => Kind::Whole,
        Json::Number(_) => Kind::Number,
        _ => Kind::Text,
    }
}

/// What can hold both.
fn common(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        _ if one == other => one,
        (Kind::Whole, Kind::Number) | (Kind::Number, Kind::Whole) => Kind::Number,
        _ => Kind::Text,
    }
}

fn value(json: Option<&Json>, kind: Kind) -> Value<'static> {
    let Some(json) = json else { return Value::Absent };
    let value = match kind {
        Kind::Truth => json.as_bool().map(Value::Truth),
        Kind::Whole => json.as_i64().map(Value::Whole),
        Kind::Number => json.as_f64().map(Value::Number),
        Kind::Text => Some(Value::Text(exact(json).into())),
    };
    value.unwrap_or(Value::Absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_the_kind_that_holds_all_its_values() {
        use serde_json::json;
        let kinds = |values: &[Json]| values.iter().map(kind).reduce(common).expect("some");
        assert_eq!(kinds(&[json!(1), json!(2)]), Kind::Whole);
        assert_eq!(kinds(&[json!(1), json!(0.5)]), Kind::Number);
        assert_eq!(kinds(&[json!(1), json!("auto"), json!(0.5)]), Kind::Text);
        assert_eq!(value(Some(&json!([1, 2])), Kind::Text), Value::Text("[1,2]".into()));
        assert_eq!(value(Some(&json!(2)), Kind::Number), Value::Number(2.0));
        assert_eq!(value(None, Kind::Number), Value::Absent);
    }
}
