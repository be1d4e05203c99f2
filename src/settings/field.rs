//! Reads the value of one key by its type, or returns its default. Each method describes the setting for the schema and the page, too.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::choice::Choice;
use super::name::{quoted, similar_name};
use super::problem::Place;
use super::reader::Reader;
use super::spec::{DefaultValue, NamedValue, SettingSpec, ValueKind, first_paragraph};
use super::table::Settings;
use super::tree::{Node, Value};
use crate::paths::expand_home;

/// The setting with one key in one table.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    reader: &'a Reader<'a>,
    key: &'static str,
    about: &'static str,
    required: bool,
}

/// An unsigned integer type.
pub(crate) trait Unsigned: Copy + Serialize {
    /// Converts to the widest type.
    fn to_u64(self) -> u64;
    /// Converts from the widest type. The number must be in the range of this type.
    fn from_u64(number: u64) -> Self;
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Unsigned for $type {
            fn to_u64(self) -> u64 {
                self as u64
            }

            fn from_u64(number: u64) -> Self {
                number as Self
            }
        }
    )*};
}

unsigned!(u8, u16, u64, usize);

impl<'a> Field<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, key: &'static str, about: &'static str) -> Self {
        Self { reader, key, about, required: false }
    }

    /// Returns the setting with another key of the same table.
    pub(crate) fn sibling(self, key: &'static str, about: &'static str) -> Self {
        Self::new(self.reader, key, about)
    }

    /// Reports an error with this help if the file does not give the setting.
    pub(crate) fn required(mut self, help: &str) -> Self {
        self.required = true;
        if !self.is_given() {
            self.reader.problems().add(self.reader.place(), format!("`{}` is missing", self.name()), help);
        }
        self
    }

    /// Returns whether the file gives the setting.
    pub(crate) fn is_given(self) -> bool {
        self.reader.is_given(self.key)
    }

    /// Returns the value in the file without describing the setting.
    pub(crate) fn given(self) -> Option<&'a Value> {
        self.reader.node(self.key).map(|node| &node.value)
    }

    /// Returns the dotted name.
    pub(crate) fn name(self) -> String {
        self.reader.name(self.key)
    }

    /// Returns the place of the value, or of the table if the file gives no value.
    pub(crate) fn place(self) -> Place {
        self.reader.place_of(self.key)
    }

    /// Returns the reader of the table that contains the setting.
    pub(crate) fn reader(self) -> &'a Reader<'a> {
        self.reader
    }

    /// Returns whether an error was already reported for the value.
    pub(crate) fn is_refused(self) -> bool {
        self.reader.problems().has_at(&self.place())
    }

    /// Reports an error in the value.
    pub(crate) fn refuse(self, message: impl Into<String>, help: impl Into<String>) {
        self.reader.refuse(self.key, message, help);
    }

    /// Reports an error in one item of the list.
    pub(crate) fn refuse_item(self, index: usize, message: impl Into<String>, help: impl Into<String>) {
        let place = match self.given() {
            Some(Value::List(items)) if index < items.len() => items[index].place.clone(),
            _ => self.place(),
        };
        self.reader.problems().add(&place, message, help);
    }

    /// Describes the setting's values and default. Needed if the methods that read the value describe only a part of them.
    pub(crate) fn describe(self, kind: impl FnOnce() -> ValueKind, default: DefaultValue) {
        self.reader.mark_known(self.key);
        self.reader.record(|table| SettingSpec {
            table,
            key: self.key,
            about: first_paragraph(self.about),
            kind: kind(),
            default,
            required: self.required,
        });
    }

    /// Returns the value as written.
    pub(crate) fn node(self, kind: impl FnOnce() -> ValueKind, default: DefaultValue) -> Option<&'a Node> {
        self.describe(kind, default);
        self.reader.node(self.key)
    }

    /// Returns the value as `parse` converts it. Returns `None` if it is not given, and after reporting an error if `parse` fails.
    fn parsed<V>(
        self,
        kind: impl Fn() -> ValueKind,
        default: DefaultValue,
        parse: impl FnOnce(&'a Value) -> Option<V>,
    ) -> Option<V> {
        let node = self.node(&kind, default)?;
        let value = parse(&node.value);
        if value.is_none() {
            self.refuse_node(node, &kind().expected());
        }
        value
    }

    fn refuse_node(self, node: &Node, expected: &str) {
        let message = format!("`{}` is {}", self.name(), node.value.describe());
        self.reader.problems().add(&node.place, message, format!("expected {expected}"));
    }

    /// Returns the description of a default. Skips the conversion if no settings are recorded.
    fn default_value(self, default: impl Serialize) -> DefaultValue {
        let written = self.reader.is_recording().then(|| serde_json::to_value(default).ok()).flatten();
        written.map_or(DefaultValue::Absent, DefaultValue::Value)
    }

    /// Reads a whole number in a range.
    pub(crate) fn integer<N: Unsigned>(self, default: N, range: RangeInclusive<N>) -> N {
        self.integer_or(default, range, self.default_value(default))
    }

    /// Reads a whole number in a range. The default depends on other settings; `formula` describes it.
    pub(crate) fn integer_by<N: Unsigned>(self, formula: &'static str, default: N, range: RangeInclusive<N>) -> N {
        self.integer_or(default, range, DefaultValue::Described(formula))
    }

    /// Reads a whole number in a range, if the file gives one.
    pub(crate) fn optional_integer<N: Unsigned>(self, range: RangeInclusive<N>) -> Option<N> {
        self.integer_in(range, DefaultValue::Absent)
    }

    fn integer_or<N: Unsigned>(self, default: N, range: RangeInclusive<N>, described: DefaultValue) -> N {
        self.integer_in(range, described).unwrap_or(default)
    }

    fn integer_in<N: Unsigned>(self, range: RangeInclusive<N>, default: DefaultValue) -> Option<N> {
        let (min, max) = (range.start().to_u64(), range.end().to_u64());
        let number = self.parsed(
            || ValueKind::Integer { min, max },
            default,
            |value| match value {
                Value::Integer(number) => u64::try_from(*number).ok().filter(|number| (min..=max).contains(number)),
                _ => None,
            },
        );
        number.map(N::from_u64)
    }

    /// Reads a number in a range.
    pub(crate) fn number(self, default: f64, range: RangeInclusive<f64>) -> f64 {
        self.float(range, self.default_value(default)).unwrap_or(default)
    }

    /// Reads an optional number in a range.
    pub(crate) fn optional_number(self, range: RangeInclusive<f64>) -> Option<f64> {
        self.float(range, DefaultValue::Absent)
    }

    fn float(self, range: RangeInclusive<f64>, default: DefaultValue) -> Option<f64> {
        let (min, max) = range.into_inner();
        self.parsed(
            || ValueKind::Number { min, max },
            default,
            |value| {
                let number = match *value {
                    Value::Float(number) => number,
                    Value::Integer(number) => number as f64,
                    _ => f64::NAN,
                };
                (number.is_finite() && (min..=max).contains(&number)).then_some(number)
            },
        )
    }

    /// Reads true or false.
    pub(crate) fn flag(self, default: bool) -> bool {
        let flag = self.parsed(
            || ValueKind::Flag,
            self.default_value(default),
            |value| match value {
                Value::Bool(flag) => Some(*flag),
                _ => None,
            },
        );
        flag.unwrap_or(default)
    }

    /// Reads an optional text.
    pub(crate) fn text(self) -> Option<String> {
        self.string(|| ValueKind::Text)
    }

    /// Reads an optional path and expands its `~`.
    pub(crate) fn path(self) -> Option<PathBuf> {
        self.string(|| ValueKind::Path).map(|text| expand_home(Path::new(&text)))
    }

    fn string(self, kind: impl Fn() -> ValueKind) -> Option<String> {
        self.parsed(kind, DefaultValue::Absent, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Reads an optional list of texts.
    pub(crate) fn texts(self) -> Option<Vec<String>> {
        let kind = || ValueKind::List(Box::new(ValueKind::Text));
        let items = self.parsed(kind, DefaultValue::Absent, |value| match value {
            Value::List(items) => Some(items),
            _ => None,
        })?;
        let text = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        for node in items.iter().filter(|node| text(node).is_none()) {
            self.refuse_node(node, "texts in quotes");
        }
        Some(items.iter().filter_map(text).collect())
    }

    /// Reads one of the values of a type.
    pub(crate) fn choice<C: Choice + Serialize>(self, default: C) -> C {
        self.one_of(documented::<C>, self.default_value(default)).unwrap_or(default)
    }

    /// Reads an optional value of a type.
    pub(crate) fn optional_choice<C: Choice>(self) -> Option<C> {
        self.one_of(documented::<C>, DefaultValue::Absent)
    }

    /// Reads one of several named values. Returns `None` if it is not given or unknown.
    pub(crate) fn one_of<V>(self, values: impl Fn() -> Vec<(NamedValue, V)>, default: DefaultValue) -> Option<V> {
        let kind = || ValueKind::Choice(values().into_iter().map(|(named, _)| named).collect());
        let node = self.node(kind, default)?;
        let Value::Text(text) = &node.value else {
            self.refuse_node(node, &kind().expected());
            return None;
        };
        let found = values().into_iter().find(|(named, _)| named.name == *text);
        if found.is_none() {
            let names: Vec<_> = values().into_iter().map(|(named, _)| named.name).collect();
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            let hint = similar_name(text, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            let help = format!("expected {}{hint}", kind().expected());
            self.refuse(format!("`{}` is \"{text}\"", self.name()), help);
        }
        found.map(|(_, value)| value)
    }

    /// Reads a list of named values: at least one, and none twice. Returns `None` if no valid value is given.
    pub(crate) fn some_of<V: Copy + PartialEq>(
        self,
        values: impl Fn() -> Vec<(NamedValue, V)>,
        default: DefaultValue,
    ) -> Option<Vec<V>> {
        let (named, all): (Vec<NamedValue>, Vec<V>) = values().into_iter().unzip();
        let names: Vec<&str> = named.iter().map(|value| value.name.as_ref()).collect();
        let listed = quoted(&names);
        let kind = || ValueKind::List(Box::new(ValueKind::Choice(named.clone())));
        let node = self.node(kind, default)?;
        let Value::List(items) = &node.value else {
            self.refuse_node(node, &format!("a list of {listed}"));
            return None;
        };
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Value::Text(name) = &item.value else {
                self.refuse_node(item, &format!("a list of {listed}"));
                continue;
            };
            let found = names.iter().position(|known| known == name).map(|index| all[index]);
            match found {
                Some(value) if chosen.contains(&value) => {
                    self.refuse_item(index, format!("`{}` has \"{name}\" twice", self.name()), "list each once");
                }
                Some(value) => chosen.push(value),
                None => {
                    let hint = similar_name(name, &names).map(|name| format!("; did you mean \"{name}\"?"));
                    let help = format!("expected some of {listed}{}", hint.unwrap_or_default());
                    self.refuse_item(index, format!("`{}` has \"{name}\"", self.name()), help);
                }
            }
        }
        if items.is_empty() {
            self.refuse(format!("`{}` is empty", self.name()), format!("expected at least one of {listed}"));
        }
        (!chosen.is_empty()).then_some(chosen)
    }

    /// Reads a table with its own settings. A missing table reads as an empty one.
    pub(crate) fn table<T: Settings>(self, given: T::Given) -> T {
        T::read(&self.inner(), given)
    }

    /// Returns the reader of the table. A value that is not a table is reported and reads as an empty table.
    pub(crate) fn inner(self) -> Reader<'a> {
        let is_table = |value: &Value| matches!(value, Value::Table(_)).then_some(());
        let _ = self.parsed(|| ValueKind::Table, DefaultValue::Absent, is_table);
        self.contents()
    }

    /// Returns the reader of the table. Any other value is allowed and reads as an empty table.
    pub(crate) fn contents(self) -> Reader<'a> {
        self.reader.inner(self.key)
    }

    /// Reads settings of the table with another key.
    pub(crate) fn inside<T: Settings>(self, key: &str, given: T::Given) -> T {
        T::read(&self.reader.inner(key), given)
    }

    /// Reads settings of the same table.
    pub(crate) fn flat<T: Settings>(self, given: T::Given) -> T {
        T::read(self.reader, given)
    }

    /// Reads the setting with a function.
    pub(crate) fn with<T>(self, read: impl FnOnce(Self) -> T) -> T {
        read(self)
    }
}

/// Returns the values of a type with their doc comments.
pub(crate) fn documented<C: Choice>() -> Vec<(NamedValue, C)> {
    C::ALL.iter().map(|value| (NamedValue::documented(value.name(), value.doc()), *value)).collect()
}
