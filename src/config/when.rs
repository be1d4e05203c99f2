//! Resolves the conditions of axes, and sorts each axis after the axes on which it depends.

use super::axis::{Axis, Condition, Coordinate};
use super::entry::{AxisEntry, are_equal, coordinate, listed};
use crate::settings::{Node, Problems, Table, Value, get, similar_name};

/// Returns the axes that can be active, each after the axes that its conditions name.
///
/// A condition on a setting that the file fixes is decided here: if it does not hold, the axis is left out.
pub(super) fn ordered_axes(entries: &[AxisEntry<'_>], file: &Table, problems: &Problems) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut waiting: Vec<&AxisEntry<'_>> = entries.iter().collect();
    let parents = |entry: &AxisEntry<'_>| -> Vec<&str> {
        let named = entry.when.into_iter().flatten().map(|(name, _)| name.as_str());
        named.filter_map(|name| entries.iter().find(|other| other.name == name)).map(|other| other.name).collect()
    };
    while !waiting.is_empty() {
        let is_waiting = |name: &&str| waiting.iter().any(|entry| entry.name == *name);
        let Some(next) = waiting.iter().position(|entry| !parents(entry).iter().any(is_waiting)) else {
            refuse_cycle(&waiting, problems);
            break;
        };
        let entry = waiting.remove(next);
        if let Some(when) = conditions(entry, entries, &axes, file, problems) {
            axes.push(Axis { name: entry.name.to_owned(), domain: entry.domain.clone(), when });
        }
    }
    axes
}

fn refuse_cycle(waiting: &[&AxisEntry<'_>], problems: &Problems) {
    let names: Vec<String> = waiting.iter().map(|entry| format!("`{}`", entry.name)).collect();
    let help = "an axis can only depend on axes that do not depend on it";
    for (_, (place, _)) in waiting.iter().take(1).flat_map(|entry| entry.when.into_iter().flatten()).take(1) {
        problems.add(place, format!("the conditions of {} form a cycle", names.join(", ")), help);
    }
}

/// Returns the conditions of an entry on axes. Returns `None` if a condition on a fixed setting or on an omitted axis cannot hold.
fn conditions(
    entry: &AxisEntry<'_>,
    entries: &[AxisEntry<'_>],
    axes: &[Axis],
    file: &Table,
    problems: &Problems,
) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut possible = true;
    for (name, (place, node)) in entry.when.into_iter().flatten() {
        let wanted: &[Node] = match &node.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(node),
        };
        if wanted.is_empty() {
            problems.add(&node.place, format!("`when` lists no value of `{name}`"), "expected at least one value");
        } else if let Some(parent) = entries.iter().find(|other| other.name == name) {
            let values: Vec<Coordinate> =
                wanted.iter().filter_map(|value| wanted_value(parent, value, problems)).collect();
            match axes.iter().position(|axis| axis.name == *name) {
                Some(axis) => conditions.push(Condition { axis, values }),
                None => possible = false,
            }
        } else if let Some(fixed) = get(file, name).filter(|value| !matches!(value, Value::Table(_))) {
            possible &= wanted.iter().any(|value| are_equal(&value.value.to_json(), &fixed.to_json()));
        } else {
            let mut known: Vec<String> = Vec::new();
            add_setting_names(file, "", &mut known);
            known.extend(entries.iter().map(|entry| entry.name.to_owned()));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = similar_name(name, &known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            let help = format!("expected another axis of [search.space] or a setting of this file{hint}");
            problems.add(place, format!("`when` names \"{name}\""), help);
        }
    }
    possible.then_some(conditions)
}

fn wanted_value(parent: &AxisEntry<'_>, value: &Node, problems: &Problems) -> Option<Coordinate> {
    let name = parent.name;
    if parent.domain.levels().is_none() {
        let help = "expected an axis with listed values, whole numbers or steps";
        problems.add(&value.place, format!("`when` lists values of `{name}`, which is continuous"), help);
        return None;
    }
    let found = coordinate(&parent.domain, parent.node, &value.value.to_json());
    if found.is_none() {
        let help = match listed(parent.node) {
            Some(items) => {
                let values: Vec<String> = items.iter().map(|item| item.value.to_json().to_string()).collect();
                format!("expected one of {}", values.join(", "))
            }
            None => "expected a value of its range".to_owned(),
        };
        problems.add(&value.place, format!("`{name}` is never {}", value.value.to_json()), help);
    }
    found
}

/// Adds the dotted names of all values in the tables of a trial.
fn add_setting_names(table: &Table, path: &str, names: &mut Vec<String>) {
    for (key, (_, node)) in table.iter().filter(|(key, _)| !(path.is_empty() && key.as_str() == "search")) {
        match &node.value {
            Value::Table(inner) => add_setting_names(inner, &format!("{path}{key}."), names),
            _ => names.push(format!("{path}{key}")),
        }
    }
}
