//! The sweep file as a tree. Every node knows its place in the file.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem};
use crate::text::counted;

/// A value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub value: Value,
    pub place: Place,
}

/// Keys with their places and values.
pub(crate) type Table = BTreeMap<String, (Place, Node)>;

impl Value {
    /// Describes the value for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Integer(number) => format!("the number {number}"),
            Self::Float(number) => format!("the number {number}"),
            Self::Bool(value) => format!("{value}"),
            Self::List(items) => format!("a list of {}", counted(items.len(), "item")),
            Self::Table(_) => "a table".to_owned(),
        }
    }

    /// Converts the value to JSON, for the store.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.clone().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Bool(value) => (*value).into(),
            Self::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Table(table) => table.iter().map(|(key, (_, node))| (key.clone(), node.value.to_json())).collect(),
        }
    }
}

/// Parses TOML. A syntax error is one problem.
pub(crate) fn parse(source: &str) -> Result<Table, Problem> {
    let parsed = DeTable::parse(source).map_err(|error| Problem {
        place: error.span().map_or(Place::WholeFile, Place::File),
        message: format!("the file is not valid TOML: {}", error.message().lines().next().unwrap_or("syntax error")),
        help: "see https://toml.io for the syntax".to_owned(),
    })?;
    Ok(table(parsed.into_inner(), &Place::File))
}

/// Parses the VALUE of `--set KEY=VALUE`. A value that is not TOML is text.
pub(crate) fn parse_flag(argument: &str, value: &str) -> Node {
    let place = |_| Place::Flag(argument.to_owned());
    match DeValue::parse(value) {
        Ok(parsed) => node(parsed, &place),
        Err(_) => Node { value: Value::Text(value.to_owned()), place: place(0..0) },
    }
}

fn table(parsed: DeTable<'_>, place: &dyn Fn(std::ops::Range<usize>) -> Place) -> Table {
    parsed
        .into_iter()
        .map(|(key, value)| {
            let key_place = place(key.span());
            (key.into_inner().into_owned(), (key_place, node(value, place)))
        })
        .collect()
}

fn node(parsed: Spanned<DeValue<'_>>, place: &dyn Fn(std::ops::Range<usize>) -> Place) -> Node {
    let at = place(parsed.span());
    let value = match parsed.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Text(number.to_string()), Value::Integer),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, place)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, place)),
    };
    Node { value, place: at }
}

/// Sets a dotted key and creates missing tables. Returns false if the key is inside a value that is not a table.
pub(crate) fn set(table: &mut Table, key: &str, key_place: &Place, node: Node) -> bool {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), (key_place.clone(), node));
            true
        }
        Some((first, rest)) => {
            let empty = || (key_place.clone(), Node { value: Value::Table(Table::new()), place: key_place.clone() });
            match &mut table.entry(first.to_owned()).or_insert_with(empty).1.value {
                Value::Table(inner) => set(inner, rest, key_place, node),
                _ => false,
            }
        }
    }
}

/// Returns the value at a dotted key.
pub(crate) fn get<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    match key.split_once('.') {
        None => table.get(key).map(|(_, node)| &node.value),
        Some((first, rest)) => match &table.get(first)?.1.value {
            Value::Table(inner) => get(inner, rest),
            _ => None,
        },
    }
}
