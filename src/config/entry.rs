//! One entry of `[search.space]`: listed values or a range, and when it counts.

use super::axis::{Coordinate, Domain};
use crate::settings::{Choice, Named, Node, Place, Problems, Table, Value, choices, near, quoted};

/// An axis whose conditions are not looked up yet.
pub(super) struct Entry<'t> {
    pub name: &'t str,
    pub node: &'t Node,
    pub domain: Domain,
    /// The table `when`.
    pub when: Option<&'t Table>,
}

choices! {
    /// How an axis gives its values; all but the first are ranges `[a, b]` with both ends, which a grid does not take.
    pub enum AxisKind {
        /// A list of values, as the list alone.
        Choices = "choices",
        /// A number between two bounds; with `step`, only every so many.
        Uniform = "uniform",
        /// A number between two positive bounds, uniform in its logarithm.
        LogUniform = "log_uniform",
        /// A whole number between two bounds; with `step`, only every so many.
        Int = "int",
        /// A whole number between two positive bounds, uniform in its logarithm.
        LogInt = "log_int",
    }
}

/// The key of an axis's step.
pub(super) const STEP: &str = "step";
/// The key of an axis's conditions.
pub(super) const WHEN: &str = "when";

impl AxisKind {
    /// Whether a step can go with it.
    pub(super) fn takes_step(self) -> bool {
        matches!(self, Self::Uniform | Self::Int)
    }

    /// Whether its values are whole numbers.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Int | Self::LogInt)
    }

    /// What its bounds must be.
    fn bounds(self) -> &'static str {
        match self {
            Self::LogUniform => "[a, b] with 0 < a < b",
            Self::Int => "[a, b], whole numbers with a < b",
            Self::LogInt => "[a, b], whole numbers with 1 ≤ a < b",
            Self::Choices | Self::Uniform => "[a, b] with a < b",
        }
    }

    /// The two ends of a range, if they are such as its kind needs.
    fn ends(self, bounds: &Node) -> Option<(f64, f64)> {
        /// Whole numbers up to here are exact in a float.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        let Value::List(items) = &bounds.value else { return None };
        let [low, high] = items.as_slice() else { return None };
        let (low, high) = (number(low)?, number(high)?);
        let whole = |number: f64| number.fract() == 0.0 && number.abs() < WHOLE;
        let good = match self {
            Self::LogUniform => low > 0.0,
            Self::Int => whole(low) && whole(high),
            Self::LogInt => low >= 1.0 && whole(low) && whole(high),
            Self::Choices | Self::Uniform => (high - low).is_finite(),
        };
        (low < high && good).then_some((low, high))
    }
}

/// Reads an entry; `ranges` says whether the strategy takes them.
pub(super) fn entry<'t>(
    name: &'t str,
    place: &Place,
    node: &'t Node,
    ranges: bool,
    problems: &Problems,
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
    if !is_searchable(name) {
        refuse_fixed(name, place, problems);
        return None;
    }
    domain.map(|domain| Entry { name, node, domain, when })
}

/// The listed values of an axis.
pub(super) fn listed(node: &Node) -> Option<&[Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        Value::Table(table) => table.get(AxisKind::Choices.name()).and_then(|(_, node)| listed(node)),
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

/// The tables whose settings can be searched.
const TABLES: [&str; 6] = ["data", "teacher", "model", "pretrain", "joint", "evaluate"];

/// Whether a dotted setting can be an axis.
pub(super) fn is_searchable(name: &str) -> bool {
    let table = name.split_once('.').filter(|(_, setting)| !setting.is_empty()).map(|(table, _)| table);
    table.is_some_and(|table| TABLES.contains(&table)) && !["data.root", "data.categories"].contains(&name)
}

fn refuse_fixed(name: &str, place: &Place, problems: &Problems) {
    let (table, setting) = name.split_once('.').unwrap_or((name, ""));
    let hint = near(table, &TABLES).filter(|near| *near != table && !setting.is_empty());
    let hint = hint.map(|near| format!("did you mean \"{near}.{setting}\"? ")).unwrap_or_default();
    let help = format!(
        "{hint}an axis is a dotted setting of the data, the model or the training, such as \"model.skip\"; categories are listed in \
         data.categories, and each data.root is a sweep of its own"
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
        let hint = near(key, &known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let help = format!("{hint}known of an axis: {}", known.join(", "));
        problems.add(place, format!("the axis `{name}` has no setting `{key}`"), help);
    }
    let mut given = AxisKind::ALL.iter().filter_map(|kind| Some((*kind, table.get(kind.name())?)));
    let (Some((kind, (place, bounds))), None) = (given.next(), given.next()) else {
        let message = format!("the axis `{name}` must have values of one kind");
        problems.add(&node.place, message, format!("expected one of {}", quoted(&kinds)));
        return None;
    };
    let step = table.get(STEP);
    if let Some((place, _)) = step.filter(|_| !kind.takes_step()) {
        let message = format!("`{STEP}` does not go with `{}`", kind.name());
        problems.add(place, message, "expected it beside `uniform` or `int` only");
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
        let help = "list the values, or take a strategy that draws from ranges: \"random\", \"sobol\" or \"tpe\"";
        problems.add(place, format!("`{}` does not go with a grid", kind.name()), help);
        return None;
    }
    let Some((low, high)) = kind.ends(bounds) else {
        let message = format!("`{}` of the axis `{name}` has no such range", kind.name());
        problems.add(&bounds.place, message, format!("expected {}", kind.bounds()));
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
