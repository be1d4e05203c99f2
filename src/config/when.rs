//! Conditions of axes: looked up, and the axes put behind those that they depend on.

use super::axis::{Axis, Condition, Coordinate};
use super::entry::{Entry, coordinate, listed, same};
use crate::settings::{Node, Problems, Table, Value, get, near};

/// The axes that can count, each behind those that its conditions name. A condition on a setting that the file fixes is
/// decided here: an axis for which it does not hold is left out.
pub(super) fn ordered(entries: &[Entry<'_>], file: &Table, problems: &Problems) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut waiting: Vec<&Entry<'_>> = entries.iter().collect();
    let parents = |entry: &Entry<'_>| -> Vec<&str> {
        let named = entry.when.into_iter().flatten().map(|(name, _)| name.as_str());
        named.filter_map(|name| entries.iter().find(|other| other.name == name)).map(|other| other.name).collect()
    };
    while !waiting.is_empty() {
        let is_waiting = |name: &&str| waiting.iter().any(|entry| entry.name == *name);
        let Some(next) = waiting.iter().position(|entry| !parents(entry).iter().any(is_waiting)) else {
            circle(&waiting, problems);
            break;
        };
        let entry = waiting.remove(next);
        if let Some(when) = conditions(entry, entries, &axes, file, problems) {
            axes.push(Axis { name: entry.name.to_owned(), domain: entry.domain.clone(), when });
        }
    }
    axes
}

fn circle(waiting: &[&Entry<'_>], problems: &Problems) {
    let names: Vec<String> = waiting.iter().map(|entry| format!("`{}`", entry.name)).collect();
    let help = "an axis can depend on axes only that do not depend on it";
    for (_, (place, _)) in waiting.iter().take(1).flat_map(|entry| entry.when.into_iter().flatten()).take(1) {
        problems.add(place, format!("the conditions of {} go in a circle", names.join(", ")), help);
    }
}

/// The conditions of an entry on axes; none if one on a fixed setting, or on an axis that was left out, cannot hold.
fn conditions(
    entry: &Entry<'_>,
    entries: &[Entry<'_>],
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
            problems.add(&node.place, format!("`when` gives no value of `{name}`"), "expected at least one value");
        } else if let Some(parent) = entries.iter().find(|other| other.name == name) {
            let among: Vec<Coordinate> =
                wanted.iter().filter_map(|value| wanted_value(parent, value, problems)).collect();
            match axes.iter().position(|axis| axis.name == *name) {
                Some(axis) => conditions.push(Condition { axis, among }),
                None => possible = false,
            }
        } else if let Some(fixed) = get(file, name).filter(|value| !matches!(value, Value::Table(_))) {
            possible &= wanted.iter().any(|value| same(&value.value.to_json(), &fixed.to_json()));
        } else {
            let mut known: Vec<String> = Vec::new();
            leaves(file, "", &mut known);
            known.extend(entries.iter().map(|entry| entry.name.to_owned()));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = near(name, &known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            let help = format!("expected another axis of [search.space] or a setting that this file gives{hint}");
            problems.add(place, format!("`when` names \"{name}\""), help);
        }
    }
    possible.then_some(conditions)
}

fn wanted_value(parent: &Entry<'_>, value: &Node, problems: &Problems) -> Option<Coordinate> {
    let name = parent.name;
    if parent.domain.levels().is_none() {
        let help = "expected an axis with listed, whole or stepped values";
        problems.add(&value.place, format!("`when` names single values of `{name}`, which has a continuum"), help);
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

/// Dotted names of all values of the tables that make a trial.
fn leaves(table: &Table, path: &str, names: &mut Vec<String>) {
    for (key, (_, node)) in table.iter().filter(|(key, _)| !(path.is_empty() && key.as_str() == "search")) {
        match &node.value {
            Value::Table(inner) => leaves(inner, &format!("{path}{key}."), names),
            _ => names.push(format!("{path}{key}")),
        }
    }
}
