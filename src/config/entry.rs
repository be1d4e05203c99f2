//! Reads one entry of `[search.space]`: listed values or a range, and its conditions.

use super::axis::{Coordinate, Domain};
use crate::settings::{Named, Node, Place, Problems, Table, Value, choices, quoted, similar_name};

/// An axis whose conditions are not resolved yet.
pub(super) struct AxisEntry<'t> {
    pub name: &'t str,
    pub node: &'t Node,
    pub domain: Domain,
    /// The table `when`.
    pub when: Option<&'t Table>,
}

choices! {
    /// The ways to give the values of an axis. All but the first are ranges `[a, b]` that include both ends; a grid does not accept them.
    pub enum AxisKind {
        /// A list of values; a plain list means the same.
        Choices = "choices",
        /// A number between two bounds; with `step`, only low, low + step, low + 2·step, …
        Uniform = "uniform",
        /// A number between two positive bounds, uniform in its logarithm.
        LogUniform = "log_uniform",
        /// A whole number between two bounds; with `step`, only low, low + step, low + 2·step, …
        Int = "int",
        /// A whole number between two positive bounds, uniform in its logarithm.
        LogInt = "log_int",
    }
}

/// Key of an axis's step.
pub(super) const STEP: &str = "step";
/// Key of an axis's conditions.
pub(super) const WHEN: &str = "when";

impl AxisKind {
    /// Returns whether it can be combined with a step.
    pub(super) fn takes_step(self) -> bool {
        matches!(self, Self::Uniform | Self::Int)
    }

    /// Returns whether its values are whole numbers.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Int | Self::LogInt)
    }

    /// Describes valid bounds.
    fn expected_bounds(self) -> &'static str {
        match self {
            Self::LogUniform => "[a, b] with 0 < a < b",
            Self::Int => "[a, b], whole numbers with a < b",
            Self::LogInt => "[a, b], whole numbers with 1 ≤ a < b",
            Self::Choices | Self::Uniform => "[a, b] with a < b",
        }
    }

    /// Returns the two ends of a range if they are valid for this kind of axis.
    fn ends(self, bounds: &Node) -> Option<(f64, f64)> {
        /// Every whole number below this magnitude is exactly representable as a float.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let Value::List(items) = &bounds.value else { return None };
        let [low, high] = items.as_slice() else { return None };
        let (low, high) = (number(low)?, number(high)?);
        let whole = |number: f64| number.fract() == 0.0 && number.abs() < EXACT;
        let is_valid = match self {
            Self::LogUniform => low > 0.0,
            Self::Int => whole(low) && whole(high),
            Self::LogInt => low >= 1.0 && whole(low) && whole(high),
            Self::Choices | Self::Uniform => (high - low).is_finite(),
        };
        (low < high && is_valid).then_some((low, high))
    }
}

/// Reads an entry. `ranges` tells whether the strategy accepts ranges.
pub(super) fn read_axis<'t>(
    name: &'t str,
    place: &Place,
    node: &'t Node,
    ranges: bool,
    problems: &Problems,
) -> Option<AxisEntry<'t>> {
    let (domain, when) = match &node.value {
        Value::List(items) => (choices(name, node, items, problems), None),
        Value::Table(table) => (range(name, node, table, ranges, problems), conditions(name, table, problems)),
        other => {
            let help = "expected a list of values or a table such as { choices = [a, b], when = { … } }";
            problems.add(&node.place, format!("the axis `{name}` is {}", other.describe()), help);
            (None, None)
        }
    };
    if !is_searchable(name) {
        refuse_fixed(name, place, problems);
        return None;
    }
    domain.map(|domain| AxisEntry { name, node, domain, when })
}

/// Returns the listed values of an axis.
pub(super) fn listed(node: &Node) -> Option<&[Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        Value::Table(table) => table.get(AxisKind::Choices.name()).and_then(|(_, node)| listed(node)),
        _ => None,
    }
}

/// Returns the coordinate of a value on an axis, if the axis has this value.
pub(super) fn coordinate(domain: &Domain, node: &Node, value: &serde_json::Value) -> Option<Coordinate> {
    match listed(node) {
        Some(items) => items.iter().position(|item| are_equal(&item.value.to_json(), value)).map(Coordinate::Choice),
        None => domain.value_of(value.as_f64()?),
    }
}

/// Returns whether two values are equal. 1 equals 1.0, and the last bits of a number may differ, because it was written as text.
pub(super) fn are_equal(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-14 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

/// Tables whose settings can be searched.
const TABLES: [&str; 6] = ["data", "teacher", "model", "pretrain", "joint", "evaluate"];

/// Returns whether a dotted setting can be an axis.
pub(super) fn is_searchable(name: &str) -> bool {
    let table = name.split_once('.').filter(|(_, setting)| !setting.is_empty()).map(|(table, _)| table);
    table.is_some_and(|table| TABLES.contains(&table)) && !["data.root", "data.categories"].contains(&name)
}

fn refuse_fixed(name: &str, place: &Place, problems: &Problems) {
    let (table, setting) = name.split_once('.').unwrap_or((name, ""));
    let hint = similar_name(table, &TABLES).filter(|similar| *similar != table && !setting.is_empty());
    let hint = hint.map(|similar| format!("did you mean \"{similar}.{setting}\"? ")).unwrap_or_default();
    let help = format!(
        "{hint}an axis is a dotted setting of {}, such as \"model.skip\"; list categories in data.categories, and write one sweep file \
         per data.root",
        TABLES.join(", ")
    );
    problems.add(place, format!("`{name}` cannot be searched"), help);
}

fn choices(name: &str, node: &Node, items: &[Node], problems: &Problems) -> Option<Domain> {
    if items.is_empty() {
        problems.add(&node.place, format!("the axis `{name}` has no values"), "expected at least one value");
        return None;
    }
    Some(Domain::Choices(items.len()))
}

fn conditions<'t>(name: &str, table: &'t Table, problems: &Problems) -> Option<&'t Table> {
    match &table.get(WHEN)?.1 {
        Node { value: Value::Table(when), .. } => Some(when),
        node => {
            let help = "expected a table such as { \"model.autoencoder\" = \"unet\" }";
            problems.add(&node.place, format!("`when` of the axis `{name}` is {}", node.value.describe()), help);
            None
        }
    }
}

fn range(name: &str, node: &Node, table: &Table, ranges: bool, problems: &Problems) -> Option<Domain> {
    let kinds: Vec<&str> = AxisKind::ALL.iter().map(Named::name).collect();
    let known: Vec<&str> = kinds.iter().copied().chain([STEP, WHEN]).collect();
    for (key, (place, _)) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        let hint = similar_name(key, &known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let help = format!("{hint}settings of an axis: {}", known.join(", "));
        problems.add(place, format!("the axis `{name}` has no setting `{key}`"), help);
    }
    let mut given = AxisKind::ALL.iter().filter_map(|kind| Some((*kind, table.get(kind.name())?)));
    let (Some((kind, (place, bounds))), None) = (given.next(), given.next()) else {
        let message = format!("the axis `{name}` must give its values in exactly one way");
        problems.add(&node.place, message, format!("expected one of {}", quoted(&kinds)));
        return None;
    };
    let step = table.get(STEP);
    if let Some((place, _)) = step.filter(|_| !kind.takes_step()) {
        let message = format!("`{STEP}` cannot be combined with `{}`", kind.name());
        problems.add(place, message, "use it with `uniform` or `int` only");
        return None;
    }
    if kind == AxisKind::Choices {
        let Value::List(items) = &bounds.value else {
            let message = format!("`choices` of the axis `{name}` is {}", bounds.value.describe());
            problems.add(&bounds.place, message, "expected a list of values");
            return None;
        };
        return choices(name, bounds, items, problems);
    }
    if !ranges {
        let help = "list the values, or choose a strategy that draws from ranges: \"random\", \"sobol\" or \"tpe\"";
        problems.add(place, format!("a grid does not accept `{}`", kind.name()), help);
        return None;
    }
    let Some((low, high)) = kind.ends(bounds) else {
        let message = format!("`{}` of the axis `{name}` is not a valid range", kind.name());
        problems.add(&bounds.place, message, format!("expected {}", kind.expected_bounds()));
        return None;
    };
    let whole = kind == AxisKind::Int;
    let step = match step {
        None => None,
        Some((_, node)) => match number(node) {
            Some(step) if step > 0.0 && step <= high - low && !(whole && step.fract() != 0.0) => Some(step),
            _ => {
                let of = if whole { "whole number" } else { "number" };
                let help = format!("expected a positive {of} of at most {}, the width of the range", high - low);
                problems.add(&node.place, format!("`{STEP}` is {}", node.value.describe()), help);
                return None;
            }
        },
    };
    match kind {
        AxisKind::Choices => None,
        AxisKind::Uniform => Some(Domain::Uniform { low, high, step }),
        AxisKind::LogUniform => Some(Domain::LogUniform { low, high }),
        AxisKind::Int => Some(Domain::Integer { low: low as i64, high: high as i64, step: step.unwrap_or(1.0) as i64 }),
        AxisKind::LogInt => Some(Domain::LogInteger { low: low as i64, high: high as i64 }),
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number).filter(|number| number.is_finite()),
        _ => None,
    }
}
