//! One entry of `[search.space]`: listed values or a range, and when it counts.

use super::axis::{Coordinate, Domain};
use super::problem::{Place, Problems};
use super::reader::{near, quoted};
use super::tree::{Node, Table, Value};

/// An axis whose conditions are not looked up yet.
pub(super) struct Entry<'t> {
    pub name: &'t str,
    pub node: &'t Node,
    pub domain: Domain,
    /// The table `when`.
    pub when: Option<&'t Table>,
}

const KINDS: [&str; 5] = ["choices", "uniform", "log_uniform", "int", "log_int"];

/// Reads an entry; `ranges` says whether the strategy takes them.
pub(super) fn entry<'t>(
    name: &'t str,
    place: &Place,
    node: &'t Node,
    ranges: bool,
    problems: &mut Problems,
) -> Option<Entry<'t>> {
    let (domain, when) = match &node.value {
        Value::List(items) => (choices(name, node, items, problems), None),
        Value::Table(table) => (range(name, node, table, ranges, problems), conditions(name, table, problems)),
        other => {
            let help = "expected a list of values or a table such as { choices = [a, b], when = { … } }";
            problems.add(&node.place, format!("the axis `{name}` is {}", other.describe()), help);
            (None, None)
        }
    };
    let searchable = searchable(name, place, problems);
    domain.filter(|_| searchable).map(|domain| Entry { name, node, domain, when })
}

/// The listed values of an axis.
pub(super) fn listed(node: &Node) -> Option<&[Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        Value::Table(table) => table.get("choices").and_then(|(_, node)| listed(node)),
        _ => None,
    }
}

/// The coordinate of a value on an axis, if it has it.
pub(super) fn coordinate(domain: &Domain, node: &Node, value: &serde_json::Value) -> Option<Coordinate> {
    match listed(node) {
        Some(items) => items.iter().position(|item| same(&item.value.to_json(), value)).map(Coordinate::Choice),
        None => domain.value_of(value.as_f64()?),
    }
}

/// Equality of values; 1 is 1.0, and the last bits of a number that was written down are forgiven.
pub(super) fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-14 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

fn searchable(name: &str, place: &Place, problems: &mut Problems) -> bool {
    const TABLES: [&str; 6] = ["data", "teacher", "model", "pretrain", "joint", "evaluate"];
    let (table, setting) = name.split_once('.').unwrap_or((name, ""));
    if TABLES.contains(&table) && !setting.is_empty() && !["data.root", "data.categories"].contains(&name) {
        return true;
    }
    let hint = near(table, &TABLES).filter(|near| *near != table && !setting.is_empty());
    let hint = hint.map(|near| format!("did you mean \"{near}.{setting}\"? ")).unwrap_or_default();
    let help = format!(
        "{hint}an axis is a dotted setting of the data, the model or the training, such as \"model.skip\"; categories are listed in \
         data.categories, and each data.root is a sweep of its own"
    );
    problems.add(place, format!("`{name}` cannot be searched"), help);
    false
}

fn choices(name: &str, node: &Node, items: &[Node], problems: &mut Problems) -> Option<Domain> {
    if items.is_empty() {
        problems.add(&node.place, format!("the axis `{name}` has no values"), "expected at least one value");
        return None;
    }
    Some(Domain::Choices(items.len()))
}

fn conditions<'t>(name: &str, table: &'t Table, problems: &mut Problems) -> Option<&'t Table> {
    match &table.get("when")?.1 {
        Node { value: Value::Table(when), .. } => Some(when),
        node => {
            let help = "expected a table such as { \"model.autoencoder\" = \"unet\" }";
            problems.add(&node.place, format!("`when` of the axis `{name}` is {}", node.value.describe()), help);
            None
        }
    }
}

fn range(name: &str, node: &Node, table: &Table, ranges: bool, problems: &mut Problems) -> Option<Domain> {
    let known: Vec<&str> = KINDS.iter().copied().chain(["step", "when"]).collect();
    for (key, (place, _)) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        let hint = near(key, &known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let help = format!("{hint}known of an axis: {}", known.join(", "));
        problems.add(place, format!("the axis `{name}` has no setting `{key}`"), help);
    }
    let mut kinds = table.iter().filter(|(key, _)| KINDS.contains(&key.as_str()));
    let (Some((kind, (place, bounds))), None) = (kinds.next(), kinds.next()) else {
        let message = format!("the axis `{name}` must have values of one kind");
        problems.add(&node.place, message, format!("expected one of {}", quoted(&KINDS)));
        return None;
    };
    let step = table.get("step");
    if let Some((place, _)) = step.filter(|_| !["uniform", "int"].contains(&kind.as_str())) {
        let message = format!("`step` does not go with `{kind}`");
        problems.add(place, message, "expected it beside `uniform` or `int` only");
        return None;
    }
    if kind == "choices" {
        let Value::List(items) = &bounds.value else {
            let message = format!("`choices` of the axis `{name}` is {}", bounds.value.describe());
            problems.add(&bounds.place, message, "expected a list of values");
            return None;
        };
        return choices(name, bounds, items, problems);
    }
    if !ranges {
        let help = "list the values, or take a strategy that draws from ranges: \"random\", \"sobol\" or \"tpe\"";
        problems.add(place, format!("`{kind}` does not go with a grid"), help);
        return None;
    }
    let Some((low, high)) = ends(kind, bounds) else {
        let message = format!("`{kind}` of the axis `{name}` has no such range");
        problems.add(&bounds.place, message, format!("expected {}", what_ends(kind)));
        return None;
    };
    let whole = kind == "int";
    let step = match step {
        None => None,
        Some((_, node)) => match number(node) {
            Some(step) if step > 0.0 && step <= high - low && !(whole && step.fract() != 0.0) => Some(step),
            _ => {
                let of = if whole { "whole number" } else { "number" };
                let help = format!("expected a positive {of} of at most {}, the width of the range", high - low);
                problems.add(&node.place, format!("`step` is {}", node.value.describe()), help);
                return None;
            }
        },
    };
    Some(match kind.as_str() {
        "uniform" => Domain::Uniform { low, high, step },
        "log_uniform" => Domain::LogUniform { low, high },
        "int" => Domain::Integer { low: low as i64, high: high as i64, step: step.unwrap_or(1.0) as i64 },
        _ => Domain::LogInteger { low: low as i64, high: high as i64 },
    })
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number).filter(|number| number.is_finite()),
        _ => None,
    }
}

/// The two ends of a range, if they are such as its kind needs.
fn ends(kind: &str, bounds: &Node) -> Option<(f64, f64)> {
    /// Whole numbers up to here are exact in a float.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let Value::List(items) = &bounds.value else { return None };
    let [low, high] = items.as_slice() else { return None };
    let (low, high) = (number(low)?, number(high)?);
    let whole = |number: f64| number.fract() == 0.0 && number.abs() < WHOLE;
    let good = match kind {
        "log_uniform" => low > 0.0,
        "int" => whole(low) && whole(high),
        "log_int" => low >= 1.0 && whole(low) && whole(high),
        _ => (high - low).is_finite(),
    };
    (low < high && good).then_some((low, high))
}

fn what_ends(kind: &str) -> &'static str {
    match kind {
        "log_uniform" => "[a, b] with 0 < a < b",
        "int" => "[a, b], whole numbers with a < b",
        "log_int" => "[a, b], whole numbers with 1 ≤ a < b",
        _ => "[a, b] with a < b",
    }
}
