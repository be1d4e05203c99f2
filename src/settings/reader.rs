//! Reads one table. Every read marks its key as known; all other keys of the table are reported as unknown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::field::Field;
use super::name::similar_name;
use super::problem::{Place, Problems};
use super::spec::SettingSpec;
use super::tree::{Node, Table, Value, get};

/// One reading of a sweep file: the keys that were read, and the problems that were found.
pub(crate) struct Session<'p> {
    problems: &'p Problems,
    /// Known keys by table. A table that accepts any key has no entry.
    known: RefCell<BTreeMap<String, Vec<&'static str>>>,
    /// Descriptions of the settings, if they are recorded.
    specs: Option<RefCell<Vec<SettingSpec>>>,
}

impl<'p> Session<'p> {
    /// Starts to read and check a file.
    pub(crate) fn new(problems: &'p Problems) -> Self {
        Self { problems, known: RefCell::default(), specs: None }
    }

    /// Starts to read a file and to record the descriptions of its settings.
    pub(crate) fn recording(problems: &'p Problems) -> Self {
        Self { specs: Some(RefCell::default()), ..Self::new(problems) }
    }

    /// Returns the recorded descriptions in the order of reading, one per setting.
    pub(crate) fn into_specs(self) -> Vec<SettingSpec> {
        self.specs.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Reports the unknown keys in the tables that were read.
    pub(crate) fn report_unknown(&self, file: &Table) {
        for (path, known) in self.known.borrow().iter() {
            let table = match get(file, path) {
                _ if path.is_empty() => file,
                Some(Value::Table(table)) => table,
                _ => continue,
            };
            for (key, (place, _)) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
                let hint = similar_name(key, known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                let known = known.join(", ");
                let (name, help) = match path.as_str() {
                    "" => (key.clone(), format!("{hint}settings at the top level: {known}")),
                    path => (format!("{path}.{key}"), format!("{hint}settings in [{path}]: {known}")),
                };
                self.problems.add(place, format!("there is no setting `{name}`"), help);
            }
        }
    }
}

/// Reads one table.
pub(crate) struct Reader<'a> {
    session: &'a Session<'a>,
    table: Option<&'a Table>,
    /// Dotted name of the table; empty at the top level.
    path: String,
    place: Place,
}

impl<'a> Reader<'a> {
    /// Creates the reader of a file's top level.
    pub(crate) fn top(session: &'a Session<'a>, file: &'a Table) -> Self {
        Self { session, table: Some(file), path: String::new(), place: Place::WholeFile }
    }

    /// Creates the reader of an empty table: every setting has its default.
    pub(super) fn empty(session: &'a Session<'a>) -> Self {
        Self { session, table: None, path: String::new(), place: Place::WholeFile }
    }

    /// Returns the setting with this key. `about` describes it in one line or is its doc comment.
    pub(crate) fn at<'r>(&'r self, key: &'static str, about: &'static str) -> Field<'r> {
        Field::new(self, key, about)
    }

    /// Returns whether the file gives the key.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Returns the place of the table.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the place of a key's value, or of the table if the file gives no value.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.node(key).map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    /// Reports an error in the value of a key.
    pub(crate) fn refuse(&self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems().add(&self.place_of(key), message, help);
    }

    /// Returns the reader of the table with this key. A missing table, or a value that is not a table, reads as an empty table.
    pub(crate) fn inner(&self, key: &str) -> Reader<'a> {
        let (table, place) = match self.node(key) {
            None => (None, self.place.clone()),
            Some(Node { value: Value::Table(table), place }) => (Some(table), place.clone()),
            Some(node) => (None, node.place.clone()),
        };
        Reader { session: self.session, table, path: self.name(key), place }
    }

    /// Returns the dotted name of a key.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Returns the problems of the session.
    pub(crate) fn problems(&self) -> &'a Problems {
        self.session.problems
    }

    /// Accepts every key of the table, because its valid keys are not known.
    pub(crate) fn accept_any(&self) {
        self.session.known.borrow_mut().remove(&self.path);
    }

    /// Marks a key as known.
    pub(crate) fn mark_known(&self, key: &'static str) {
        let mut known = self.session.known.borrow_mut();
        match known.get_mut(&self.path) {
            Some(keys) if keys.contains(&key) => {}
            Some(keys) => keys.push(key),
            None => {
                known.insert(self.path.clone(), vec![key]);
            }
        }
    }

    /// Returns whether descriptions are recorded.
    pub(super) fn is_recording(&self) -> bool {
        self.session.specs.is_some()
    }

    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.table?.get(key).map(|(_, node)| node)
    }

    /// Records the description of a setting if the session records them. Only the first description of a setting is kept.
    pub(super) fn record(&self, spec: impl FnOnce(String) -> SettingSpec) {
        let Some(specs) = &self.session.specs else { return };
        let spec = spec(self.path.clone());
        let mut specs = specs.borrow_mut();
        if !specs.iter().any(|recorded| recorded.key == spec.key && recorded.table == spec.table) {
            specs.push(spec);
        }
    }
}
