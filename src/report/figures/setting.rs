//! The true axis of a searched setting: linear or logarithmic for numbers, one place per name otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::axis::{Axis, spans_decades};
use crate::analysis::{Rows, SearchedAxis};
use crate::export;
use crate::report::values::{self, text};
use crate::store::RunRow;
use crate::text::{rounded, truncated};

/// Maximum number of values that are all marked on the axis.
const FEW_VALUES: usize = 6;
/// Number of ticks where only places and values matter, which do not depend on it.
pub(super) const ANY_TICKS: usize = 4;
/// Share of the axis for trials to which a numeric setting does not apply.
const NOT_APPLICABLE: f64 = 0.14;
/// Maximum number of characters of a name.
const CHARACTERS: usize = 12;

/// A searched setting with its axis. Places are shares of the axis, from 0 to 1.
pub(super) struct Setting<'a> {
    pub axis: &'a SearchedAxis,
    scale: Scale,
    /// Whether the setting does not apply to some trials.
    optional: bool,
}

enum Scale {
    Numbers { axis: Axis, distinct: usize },
    Names(Vec<String>),
}

/// Returns the names of the settings that the sweep file searches on a logarithmic scale.
pub(super) fn declared_logarithmic(rows: &Rows) -> BTreeSet<String> {
    let file: toml::Table = rows.sweep.source.parse().unwrap_or_default();
    let space = file.get("search").and_then(|search| search.get("space")).and_then(toml::Value::as_table);
    let is_logarithmic = |axis: &toml::Value| ["log_uniform", "log_int"].iter().any(|scale| axis.get(scale).is_some());
    let named = space.into_iter().flatten().filter(|(_, axis)| is_logarithmic(axis));
    named.map(|(name, _)| name.clone()).collect()
}

impl<'a> Setting<'a> {
    /// Reads the values that the runs have. `most` is the number of ticks that fit.
    pub(super) fn of<'r>(
        axis: &'a SearchedAxis,
        runs: impl Iterator<Item = &'r RunRow>,
        logarithmic: &BTreeSet<String>,
        most: usize,
    ) -> Self {
        let values: Vec<Value> = runs.map(|run| value(run, &axis.name)).collect();
        let optional = values.iter().any(Value::is_null);
        let present: BTreeMap<String, &Value> =
            values.iter().filter(|value| !value.is_null()).map(|value| (value.to_string(), value)).collect();
        let numbers: Option<Vec<f64>> = present.values().map(|value| value.as_f64()).collect();
        let scale = match numbers.filter(|numbers| numbers.len() > 1) {
            Some(numbers) => {
                let whole = present.values().all(|value| value.is_i64() || value.is_u64());
                Scale::numbers(&present, numbers, whole, logarithmic.contains(&axis.name), most)
            }
            None => Scale::Names(axis.ticks.clone()),
        };
        Self { axis, scale, optional }
    }

    /// Returns whether the setting is a number.
    pub(super) fn is_numeric(&self) -> bool {
        matches!(self.scale, Scale::Numbers { .. })
    }

    /// Returns whether there are more values than a reader can name.
    pub(super) fn has_many_values(&self) -> bool {
        matches!(self.scale, Scale::Numbers { distinct, .. } if distinct > FEW_VALUES)
    }

    /// Returns the number of names; 1 for numbers.
    pub(super) fn names(&self) -> usize {
        match &self.scale {
            Scale::Names(names) => names.len(),
            Scale::Numbers { .. } => 1,
        }
    }

    /// Returns the place of a run, whether or not the setting applies to it.
    pub(super) fn place(&self, run: &RunRow) -> f64 {
        match &self.scale {
            Scale::Names(names) => (self.axis.level(run) as f64 + 0.5) / names.len() as f64,
            Scale::Numbers { axis, .. } => match value(run, &self.axis.name).as_f64() {
                Some(number) => self.inner(axis.part(number)),
                None => 0.03,
            },
        }
    }

    /// Returns the place of a run to which the setting applies.
    pub(super) fn applied(&self, run: &RunRow) -> Option<f64> {
        let applies = !self.is_numeric() || !value(run, &self.axis.name).is_null();
        applies.then(|| self.place(run))
    }

    fn inner(&self, part: f64) -> f64 {
        if self.optional { NOT_APPLICABLE + (1.0 - NOT_APPLICABLE) * part } else { part }
    }

    /// Returns the places with their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match &self.scale {
            Scale::Names(names) => {
                let count = names.len() as f64;
                let place =
                    |(index, name): (usize, &String)| ((index as f64 + 0.5) / count, truncated(name, CHARACTERS));
                names.iter().enumerate().map(place).collect()
            }
            Scale::Numbers { axis, .. } => {
                let numbers = axis.ticks.iter().map(|(value, label)| (self.inner(axis.part(*value)), label.clone()));
                let without = self.optional.then(|| (0.03, "unused".to_owned()));
                without.into_iter().chain(numbers).collect()
            }
        }
    }

    /// Returns the axis of places.
    pub(super) fn places(&self) -> Axis {
        Axis::with_ticks(0.0, 1.0, self.ticks())
    }

    /// Returns a shift for the run at `index`, so that runs of one name do not hide each other. Numbers are never shifted.
    pub(super) fn jitter(&self, index: usize) -> f64 {
        match &self.scale {
            Scale::Names(names) => (((index * 7) % 13) as f64 / 12.0 - 0.5) * 0.5 / names.len() as f64,
            Scale::Numbers { .. } => 0.0,
        }
    }

    /// Returns the number at a place, if the setting is a number.
    pub(super) fn number_at(&self, place: f64) -> Option<f64> {
        let Scale::Numbers { axis, .. } = &self.scale else { return None };
        let part = if self.optional { (place - NOT_APPLICABLE) / (1.0 - NOT_APPLICABLE) } else { place };
        Some(axis.value(part))
    }

    /// Returns the exact value of a run; it is absent if the setting does not apply.
    pub(super) fn exact(&self, run: &RunRow) -> export::Value<'static> {
        match value(run, &self.axis.name) {
            Value::Null => export::Value::Absent,
            Value::String(name) => text(name),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| values::number(number.as_f64()), export::Value::Integer)
            }
            other => text(other.to_string()),
        }
    }

    /// Returns the value of a run as text for people.
    pub(super) fn shown(&self, run: &RunRow) -> String {
        let value = value(run, &self.axis.name);
        if value.is_null() { "unused".to_owned() } else { rounded(&value) }
    }
}

impl Scale {
    fn numbers(
        present: &BTreeMap<String, &Value>,
        mut numbers: Vec<f64>,
        whole: bool,
        declared: bool,
        most: usize,
    ) -> Self {
        numbers.sort_by(f64::total_cmp);
        let (low, high) = (numbers[0], numbers[numbers.len() - 1]);
        let logarithmic = low > 0.0 && (declared || spans_decades(low, high));
        let margin = 0.04;
        let (low, high) = if logarithmic {
            let factor = (high / low).powf(margin);
            (low / factor, high * factor)
        } else {
            (low - margin * (high - low), high + margin * (high - low))
        };
        let axis = match (logarithmic, whole) {
            (true, _) => Axis::logarithmic(low, high, most),
            (false, true) => Axis::whole(low, high, most),
            (false, false) => Axis::linear(low, high, most),
        };
        Self::Numbers { axis: with_values(axis, present, most), distinct: present.len() }
    }
}

/// Marks the values themselves if they are few and lie apart.
fn with_values(axis: Axis, present: &BTreeMap<String, &Value>, most: usize) -> Axis {
    let mut values: Vec<(f64, String)> =
        present.values().filter_map(|value| Some((value.as_f64()?, rounded(value)))).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let apart = values.windows(2).all(|pair| axis.part(pair[1].0) - axis.part(pair[0].0) >= 0.8 / most as f64);
    let distinct: BTreeSet<&str> = values.iter().map(|(_, label)| label.as_str()).collect();
    if values.len() > FEW_VALUES || !apart || distinct.len() < values.len() { axis } else { axis.at(values) }
}

fn value(run: &RunRow, name: &str) -> Value {
    let mut axes: BTreeMap<String, Value> = serde_json::from_str(&run.axes).unwrap_or_default();
    axes.remove(name).unwrap_or_default()
}
