//! Reading one table: every question names its key, so what was never asked for is unknown.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::problem::{Place, Problems};
use super::tree::{Node, Table, Value};
use crate::paths::expanded;

/// One table being read.
pub(super) struct Reader<'t> {
    table: Option<&'t Table>,
    /// Dotted name with a final dot; empty at the top.
    path: String,
    place: Place,
    asked: Vec<&'static str>,
}

impl<'t> Reader<'t> {
    pub(super) fn top(table: &'t Table) -> Self {
        Self { table: Some(table), path: String::new(), place: Place::Whole, asked: Vec::new() }
    }

    /// A table without settings: every question gets its default.
    pub(super) fn empty() -> Self {
        Self { table: None, path: String::new(), place: Place::Whole, asked: Vec::new() }
    }

    fn node(&mut self, key: &'static str) -> Option<&'t Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table?.get(key).map(|(_, node)| node)
    }

    /// Whether the key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether the key holds text.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|(_, node)| matches!(node.value, Value::Text(_)))
    }

    /// Whether the key holds a list.
    pub(super) fn is_list(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|(_, node)| matches!(node.value, Value::List(_)))
    }

    /// Whether the key holds a table.
    pub(super) fn is_table(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|(_, node)| matches!(node.value, Value::Table(_)))
    }

    /// The dotted name of a key.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    /// Where the table was written.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where a key's value was written, or the table.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.table.and_then(|table| table.get(key)).map_or_else(|| self.place.clone(), |(_, node)| node.place.clone())
    }

    /// Where one item of a list was written, or the list.
    pub(super) fn place_of_item(&self, key: &str, index: usize) -> Place {
        match self.table.and_then(|table| table.get(key)).map(|(_, node)| &node.value) {
            Some(Value::List(items)) if index < items.len() => items[index].place.clone(),
            _ => self.place_of(key),
        }
    }

    /// An inner table; an absent one reads as empty.
    pub(super) fn table(&mut self, key: &'static str, problems: &mut Problems) -> Reader<'t> {
        let path = format!("{}{key}.", self.path);
        let (table, place) = match self.node(key) {
            None => (None, self.place.clone()),
            Some(Node { value: Value::Table(table), place }) => (Some(table), place.clone()),
            Some(node) => {
                self.wrong(key, node, "a table", problems);
                (None, node.place.clone())
            }
        };
        Reader { table, path, place, asked: Vec::new() }
    }

    fn wrong(&self, key: &str, node: &Node, expected: &str, problems: &mut Problems) {
        problems.add(
            &node.place,
            format!("`{}{key}` is {}", self.path, node.value.describe()),
            format!("expected {expected}"),
        );
    }

    /// A number in a range, or the default.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
        problems: &mut Problems,
    ) -> f64 {
        let expected = match range.end().is_finite() {
            true => format!("a number from {} to {}", range.start(), range.end()),
            false => format!("a number of at least {}", range.start()),
        };
        let Some(node) = self.node(key) else { return default };
        let number = match node.value {
            Value::Float(number) => number,
            Value::Integer(number) => number as f64,
            _ => f64::NAN,
        };
        if number.is_finite() && range.contains(&number) {
            return number;
        }
        self.wrong(key, node, &expected, problems);
        default
    }

    /// A whole number in a range, or the default.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
        problems: &mut Problems,
    ) -> u64 {
        let Some(node) = self.node(key) else { return default };
        match node.value {
            Value::Integer(number) if u64::try_from(number).is_ok_and(|n| range.contains(&n)) => number as u64,
            _ => {
                let expected = match *range.end() {
                    end if end == *range.start() => end.to_string(),
                    u64::MAX => format!("a whole number of at least {}", range.start()),
                    end => format!("a whole number from {} to {end}", range.start()),
                };
                self.wrong(key, node, &expected, problems);
                default
            }
        }
    }

    /// Text, or none.
    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<String> {
        match self.node(key)? {
            Node { value: Value::Text(text), .. } => Some(text.clone()),
            node => {
                self.wrong(key, node, "text in quotes", problems);
                None
            }
        }
    }

    /// A path with its `~` expanded, or none.
    pub(super) fn path(&mut self, key: &'static str, problems: &mut Problems) -> Option<PathBuf> {
        self.text(key, problems).map(|text| expanded(Path::new(&text)))
    }

    /// True or false, or the default.
    pub(super) fn flag(&mut self, key: &'static str, default: bool, problems: &mut Problems) -> bool {
        match self.node(key) {
            None => default,
            Some(Node { value: Value::Bool(value), .. }) => *value,
            Some(node) => {
                self.wrong(key, node, "true or false", problems);
                default
            }
        }
    }

    /// One of named values, or the default.
    pub(super) fn choice<V: Copy>(
        &mut self,
        key: &'static str,
        default: V,
        choices: &[(&str, V)],
        problems: &mut Problems,
    ) -> V {
        let Some(node) = self.node(key) else { return default };
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        if let Value::Text(text) = &node.value {
            if let Some((_, value)) = choices.iter().find(|(name, _)| name == text) {
                return *value;
            }
            let hint = near(text, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            problems.add(
                &node.place,
                format!("`{}{key}` is \"{text}\"", self.path),
                format!("expected one of {}{hint}", quoted(&names)),
            );
            return default;
        }
        self.wrong(key, node, &format!("one of {}", quoted(&names)), problems);
        default
    }

    /// Some of named values, each once and at least one; none where nothing is given, or nothing that can be used.
    pub(super) fn choices<V: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        choices: &[(&str, V)],
        problems: &mut Problems,
    ) -> Option<Vec<V>> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let items = self.list(key, &format!("a list of {}", quoted(&names)), problems)?;
        let mut chosen = Vec::new();
        for item in items {
            let name = match &item.value {
                Value::Text(text) => text,
                _ => {
                    self.wrong(key, item, &format!("a list of {}", quoted(&names)), problems);
                    continue;
                }
            };
            match choices.iter().find(|(known, _)| known == name) {
                Some((_, value)) if chosen.contains(value) => {
                    problems.add(&item.place, format!("`{}{key}` has \"{name}\" twice", self.path), "list each once");
                }
                Some((_, value)) => chosen.push(*value),
                None => {
                    let hint = near(name, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
                    problems.add(
                        &item.place,
                        format!("`{}{key}` has \"{name}\"", self.path),
                        format!("expected some of {}{hint}", quoted(&names)),
                    );
                }
            }
        }
        if items.is_empty() {
            problems.add(
                &self.place_of(key),
                format!("`{}{key}` is empty", self.path),
                format!("expected at least one of {}", quoted(&names)),
            );
        }
        (!chosen.is_empty()).then_some(chosen)
    }

    /// The nodes of a list, or none.
    pub(super) fn list(&mut self, key: &'static str, expected: &str, problems: &mut Problems) -> Option<&'t [Node]> {
        match self.node(key)? {
            Node { value: Value::List(items), .. } => Some(items),
            node => {
                self.wrong(key, node, expected, problems);
                None
            }
        }
    }

    /// A list of texts, or none.
    pub(super) fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Option<Vec<String>> {
        let items = self.list(key, "a list of texts", problems)?;
        let text = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        for node in items.iter().filter(|node| text(node).is_none()) {
            self.wrong(key, node, "texts in quotes", problems);
        }
        Some(items.iter().filter_map(text).collect())
    }

    /// The raw table under a key whose own keys are free, e.g. the search space.
    pub(super) fn free_table(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'t Table> {
        match self.node(key)? {
            Node { value: Value::Table(table), .. } => Some(table),
            node => {
                self.wrong(key, node, "a table", problems);
                None
            }
        }
    }

    /// Reports the keys that were never asked for.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, (place, _)) in self.table.into_iter().flatten() {
            if !self.asked.contains(&key.as_str()) {
                let hint = near(key, &self.asked).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                let table = match self.path.trim_end_matches('.') {
                    "" => "at the top of a sweep file".to_owned(),
                    path => format!("in [{path}]"),
                };
                problems.add(
                    place,
                    format!("there is no setting `{}{key}`", self.path),
                    format!("{hint}known {table}: {}", self.asked.join(", ")),
                );
            }
        }
    }
}

/// The nearest name, if it is near enough to be meant.
pub fn near<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let best = names.iter().max_by(|a, b| strsim::jaro_winkler(a, text).total_cmp(&strsim::jaro_winkler(b, text)))?;
    (strsim::jaro_winkler(best, text) > 0.75).then_some(*best)
}

/// Names in quotes, with commas.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
