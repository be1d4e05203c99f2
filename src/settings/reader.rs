//! Reading one table: every question names its key, so what was never asked for is unknown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::field::Field;
use super::name::near;
use super::problem::{Place, Problems};
use super::question::Question;
use super::tree::{Node, Table, Value, get};

/// One reading of a sweep file: what was asked for, and what was wrong.
pub(crate) struct Session<'p> {
    problems: &'p Problems,
    /// The keys that were asked for, by table; none of a table that is not checked.
    asked: RefCell<BTreeMap<String, Vec<&'static str>>>,
    /// The questions, where they are recorded.
    questions: Option<RefCell<Vec<Question>>>,
}

impl<'p> Session<'p> {
    /// Reads and checks.
    pub(crate) fn new(problems: &'p Problems) -> Self {
        Self { problems, asked: RefCell::default(), questions: None }
    }

    /// Records the questions, too.
    pub(crate) fn recording(problems: &'p Problems) -> Self {
        Self { questions: Some(RefCell::default()), ..Self::new(problems) }
    }

    /// The questions in the order in which they were asked, each once.
    pub(crate) fn into_questions(self) -> Vec<Question> {
        self.questions.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Reports the keys of a file that were never asked for, in the tables that were read.
    pub(crate) fn report_unknown(&self, file: &Table) {
        for (path, asked) in self.asked.borrow().iter() {
            let table = match get(file, path) {
                _ if path.is_empty() => file,
                Some(Value::Table(table)) => table,
                _ => continue,
            };
            for (key, (place, _)) in table.iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
                let hint = near(key, asked).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                let known = asked.join(", ");
                let (name, help) = match path.as_str() {
                    "" => (key.clone(), format!("{hint}known at the top of a sweep file: {known}")),
                    path => (format!("{path}.{key}"), format!("{hint}known in [{path}]: {known}")),
                };
                self.problems.add(place, format!("there is no setting `{name}`"), help);
            }
        }
    }
}

/// One table being read.
pub(crate) struct Reader<'a> {
    session: &'a Session<'a>,
    table: Option<&'a Table>,
    /// Dotted name; empty at the top.
    path: String,
    place: Place,
}

impl<'a> Reader<'a> {
    /// The top of a file.
    pub(crate) fn top(session: &'a Session<'a>, file: &'a Table) -> Self {
        Self { session, table: Some(file), path: String::new(), place: Place::Whole }
    }

    /// A table without settings: every question gets its default.
    pub(super) fn empty(session: &'a Session<'a>) -> Self {
        Self { session, table: None, path: String::new(), place: Place::Whole }
    }

    /// The setting of a key, described in one line or by a doc comment.
    pub(crate) fn at<'r>(&'r self, key: &'static str, about: &'static str) -> Field<'r> {
        Field::new(self, key, about)
    }

    /// Whether the key is given.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Where the table was written.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Where a key's value was written, or the table.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.node(key).map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    /// Tells what is wrong with the value of a key.
    pub(crate) fn refuse(&self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems().add(&self.place_of(key), message, help);
    }

    /// The table of a key; an absent one reads as empty, and so does what is no table.
    pub(crate) fn inner(&self, key: &str) -> Reader<'a> {
        let (table, place) = match self.node(key) {
            None => (None, self.place.clone()),
            Some(Node { value: Value::Table(table), place }) => (Some(table), place.clone()),
            Some(node) => (None, node.place.clone()),
        };
        Reader { session: self.session, table, path: self.name(key), place }
    }

    /// The dotted name of a key.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The problems of the session.
    pub(crate) fn problems(&self) -> &'a Problems {
        self.session.problems
    }

    /// Accepts every key of the table: what it should hold is not known.
    pub(crate) fn accept_any(&self) {
        self.session.asked.borrow_mut().remove(&self.path);
    }

    /// Notes that a key is known.
    pub(crate) fn know(&self, key: &'static str) {
        let mut asked = self.session.asked.borrow_mut();
        match asked.get_mut(&self.path) {
            Some(keys) if keys.contains(&key) => {}
            Some(keys) => keys.push(key),
            None => {
                asked.insert(self.path.clone(), vec![key]);
            }
        }
    }

    /// Whether questions are recorded.
    pub(super) fn records(&self) -> bool {
        self.session.questions.is_some()
    }

    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.table?.get(key).map(|(_, node)| node)
    }

    /// Records a question where the session does so; the first one of a key counts.
    pub(super) fn record(&self, question: impl FnOnce(String) -> Question) {
        let Some(questions) = &self.session.questions else { return };
        let question = question(self.path.clone());
        let mut questions = questions.borrow_mut();
        if !questions.iter().any(|known| known.key == question.key && known.table == question.table) {
            questions.push(question);
        }
    }
}
