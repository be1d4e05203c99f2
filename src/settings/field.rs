//! The questions that a setting can be asked: each reads the value of one key, or gives its default.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::choice::Choice;
use super::name::{near, quoted};
use super::problem::Place;
use super::question::{Kind, NamedValue, Question, Usual, first_paragraph};
use super::reader::Reader;
use super::table::Settings;
use super::tree::{Node, Value};
use crate::paths::expand_home;

/// The setting of one key.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    reader: &'a Reader<'a>,
    key: &'static str,
    about: &'static str,
    required: bool,
}

/// A type of whole numbers.
pub(crate) trait Whole: Copy + Serialize {
    /// The same number.
    fn widened(self) -> u64;
    /// The same number, which lies between two of this type.
    fn narrowed(number: u64) -> Self;
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Whole for $type {
            fn widened(self) -> u64 {
                self as u64
            }

            fn narrowed(number: u64) -> Self {
                number as Self
            }
        }
    )*};
}

whole!(u8, u16, u64, usize);

impl<'a> Field<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, key: &'static str, about: &'static str) -> Self {
        Self { reader, key, about, required: false }
    }

    /// The setting of another key of the same table.
    pub(crate) fn sibling(self, key: &'static str, about: &'static str) -> Self {
        Self::new(self.reader, key, about)
    }

    /// Refuses a file that does not give it.
    pub(crate) fn required(mut self, help: &str) -> Self {
        self.required = true;
        if !self.is_given() {
            self.reader.problems().add(self.reader.place(), format!("`{}` is missing", self.name()), help);
        }
        self
    }

    /// Whether the file gives it.
    pub(crate) fn is_given(self) -> bool {
        self.reader.is_given(self.key)
    }

    /// What the file gives, without a question.
    pub(crate) fn given(self) -> Option<&'a Value> {
        self.reader.node(self.key).map(|node| &node.value)
    }

    /// Its dotted name.
    pub(crate) fn name(self) -> String {
        self.reader.name(self.key)
    }

    /// Where its value was written, or its table.
    pub(crate) fn place(self) -> Place {
        self.reader.place_of(self.key)
    }

    /// The reader of the table that it stands in.
    pub(crate) fn reader(self) -> &'a Reader<'a> {
        self.reader
    }

    /// Whether something is wrong with its value already.
    pub(crate) fn is_refused(self) -> bool {
        self.reader.problems().has_at(&self.place())
    }

    /// Tells what is wrong with its value.
    pub(crate) fn refuse(self, message: impl Into<String>, help: impl Into<String>) {
        self.reader.refuse(self.key, message, help);
    }

    /// Tells what is wrong with one item of its list.
    pub(crate) fn refuse_item(self, index: usize, message: impl Into<String>, help: impl Into<String>) {
        let place = match self.given() {
            Some(Value::List(items)) if index < items.len() => items[index].place.clone(),
            _ => self.place(),
        };
        self.reader.problems().add(&place, message, help);
    }

    /// Says what it can be, where the questions that read it do not say all of it.
    pub(crate) fn describe(self, kind: impl FnOnce() -> Kind, usual: Usual) {
        self.reader.know(self.key);
        self.reader.record(|table| Question {
            table,
            key: self.key,
            about: first_paragraph(self.about),
            kind: kind(),
            usual,
            required: self.required,
        });
    }

    /// Its value as written.
    pub(crate) fn node(self, kind: impl FnOnce() -> Kind, usual: Usual) -> Option<&'a Node> {
        self.describe(kind, usual);
        self.reader.node(self.key)
    }

    /// Its value as `parse` makes it; none where it is not given, or refused because `parse` makes nothing of it.
    fn parsed<V>(self, kind: impl Fn() -> Kind, usual: Usual, parse: impl FnOnce(&'a Value) -> Option<V>) -> Option<V> {
        let node = self.node(&kind, usual)?;
        let value = parse(&node.value);
        if value.is_none() {
            self.wrong(node, &kind().expected());
        }
        value
    }

    fn wrong(self, node: &Node, expected: &str) {
        let message = format!("`{}` is {}", self.name(), node.value.describe());
        self.reader.problems().add(&node.place, message, format!("expected {expected}"));
    }

    /// A default as it is written; not needed where nothing is recorded.
    fn value(self, default: impl Serialize) -> Usual {
        let written = self.reader.records().then(|| serde_json::to_value(default).ok()).flatten();
        written.map_or(Usual::Absent, Usual::Value)
    }

    /// A whole number in a range.
    pub(crate) fn integer<N: Whole>(self, default: N, range: RangeInclusive<N>) -> N {
        self.whole(default, range, self.value(default))
    }

    /// A whole number in a range whose default follows from other settings, as the formula says.
    pub(crate) fn integer_by<N: Whole>(self, formula: &'static str, default: N, range: RangeInclusive<N>) -> N {
        self.whole(default, range, Usual::Words(formula))
    }

    fn whole<N: Whole>(self, default: N, range: RangeInclusive<N>, usual: Usual) -> N {
        let (least, most) = (range.start().widened(), range.end().widened());
        let number = self.parsed(
            || Kind::Integer { least, most },
            usual,
            |value| match value {
                Value::Integer(number) => u64::try_from(*number).ok().filter(|number| (least..=most).contains(number)),
                _ => None,
            },
        );
        number.map_or(default, N::narrowed)
    }

    /// A number in a range.
    pub(crate) fn number(self, default: f64, range: RangeInclusive<f64>) -> f64 {
        self.float(range, self.value(default)).unwrap_or(default)
    }

    /// A number in a range, or none.
    pub(crate) fn optional_number(self, range: RangeInclusive<f64>) -> Option<f64> {
        self.float(range, Usual::Absent)
    }

    fn float(self, range: RangeInclusive<f64>, usual: Usual) -> Option<f64> {
        let (least, most) = range.into_inner();
        self.parsed(
            || Kind::Number { least, most },
            usual,
            |value| {
                let number = match *value {
                    Value::Float(number) => number,
                    Value::Integer(number) => number as f64,
                    _ => f64::NAN,
                };
                (number.is_finite() && (least..=most).contains(&number)).then_some(number)
            },
        )
    }

    /// True or false.
    pub(crate) fn flag(self, default: bool) -> bool {
        let flag = self.parsed(
            || Kind::Flag,
            self.value(default),
            |value| match value {
                Value::Bool(flag) => Some(*flag),
                _ => None,
            },
        );
        flag.unwrap_or(default)
    }

    /// Text, or none.
    pub(crate) fn text(self) -> Option<String> {
        self.words(|| Kind::Text)
    }

    /// A path with its `~` expanded, or none.
    pub(crate) fn path(self) -> Option<PathBuf> {
        self.words(|| Kind::Path).map(|text| expand_home(Path::new(&text)))
    }

    fn words(self, kind: impl Fn() -> Kind) -> Option<String> {
        self.parsed(kind, Usual::Absent, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A list of texts, or none.
    pub(crate) fn texts(self) -> Option<Vec<String>> {
        let kind = || Kind::List(Box::new(Kind::Text));
        let items = self.parsed(kind, Usual::Absent, |value| match value {
            Value::List(items) => Some(items),
            _ => None,
        })?;
        let text = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        for node in items.iter().filter(|node| text(node).is_none()) {
            self.wrong(node, "texts in quotes");
        }
        Some(items.iter().filter_map(text).collect())
    }

    /// One of the values of a type.
    pub(crate) fn choice<C: Choice + Serialize>(self, default: C) -> C {
        self.one_of(documented::<C>, self.value(default)).unwrap_or(default)
    }

    /// One of the values of a type, or none.
    pub(crate) fn optional_choice<C: Choice>(self) -> Option<C> {
        self.one_of(documented::<C>, Usual::Absent)
    }

    /// One of named values, or none.
    pub(crate) fn one_of<V>(self, values: impl Fn() -> Vec<(NamedValue, V)>, usual: Usual) -> Option<V> {
        let kind = || Kind::Choice(values().into_iter().map(|(named, _)| named).collect());
        let node = self.node(kind, usual)?;
        let Value::Text(text) = &node.value else {
            self.wrong(node, &kind().expected());
            return None;
        };
        let found = values().into_iter().find(|(named, _)| named.name == *text);
        if found.is_none() {
            let names: Vec<_> = values().into_iter().map(|(named, _)| named.name).collect();
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            let hint = near(text, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            let help = format!("expected {}{hint}", kind().expected());
            self.refuse(format!("`{}` is \"{text}\"", self.name()), help);
        }
        found.map(|(_, value)| value)
    }

    /// Some of named values, each once and at least one; none where nothing is given, or nothing that can be used.
    pub(crate) fn some_of<V: Copy + PartialEq>(
        self,
        values: impl Fn() -> Vec<(NamedValue, V)>,
        usual: Usual,
    ) -> Option<Vec<V>> {
        let (named, all): (Vec<NamedValue>, Vec<V>) = values().into_iter().unzip();
        let names: Vec<&str> = named.iter().map(|value| value.name.as_ref()).collect();
        let listed = quoted(&names);
        let kind = || Kind::List(Box::new(Kind::Choice(named.clone())));
        let node = self.node(kind, usual)?;
        let Value::List(items) = &node.value else {
            self.wrong(node, &format!("a list of {listed}"));
            return None;
        };
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Value::Text(name) = &item.value else {
                self.wrong(item, &format!("a list of {listed}"));
                continue;
            };
            let found = names.iter().position(|known| known == name).map(|place| all[place]);
            match found {
                Some(value) if chosen.contains(&value) => {
                    self.refuse_item(index, format!("`{}` has \"{name}\" twice", self.name()), "list each once");
                }
                Some(value) => chosen.push(value),
                None => {
                    let hint = near(name, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
                    let help = format!("expected some of {listed}{hint}");
                    self.refuse_item(index, format!("`{}` has \"{name}\"", self.name()), help);
                }
            }
        }
        if items.is_empty() {
            self.refuse(format!("`{}` is empty", self.name()), format!("expected at least one of {listed}"));
        }
        (!chosen.is_empty()).then_some(chosen)
    }

    /// A table of settings of its own; an absent one reads as empty.
    pub(crate) fn table<T: Settings>(self, given: T::Given) -> T {
        T::read(&self.inner(), given)
    }

    /// The reader of its table, which reads as empty where it is none.
    pub(crate) fn inner(self) -> Reader<'a> {
        let _ = self.parsed(|| Kind::Table, Usual::Absent, |value| matches!(value, Value::Table(_)).then_some(()));
        self.contents()
    }

    /// The same where other values than a table are allowed, too.
    pub(crate) fn contents(self) -> Reader<'a> {
        self.reader.inner(self.key)
    }

    /// Some settings of the table of another key.
    pub(crate) fn inside<T: Settings>(self, key: &str, given: T::Given) -> T {
        T::read(&self.reader.inner(key), given)
    }

    /// Settings that stand in the same table.
    pub(crate) fn flat<T: Settings>(self, given: T::Given) -> T {
        T::read(self.reader, given)
    }

    /// What a function makes of it.
    pub(crate) fn with<T>(self, read: impl FnOnce(Self) -> T) -> T {
        read(self)
    }
}

/// The values of a type with their doc comments.
pub(crate) fn documented<C: Choice>() -> Vec<(NamedValue, C)> {
    C::ALL.iter().map(|value| (NamedValue::documented(value.name(), value.doc()), *value)).collect()
}
