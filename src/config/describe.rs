//! All settings of a sweep file, as the reader asks for them.
//!
//! The reader is given an empty file, then one with each choice that it offers. So settings that only some choices have are found, and
//! defaults that depend on a choice.

use serde_json::Value as Json;

use super::load::{Source, read_table};
use crate::settings::{Kind, Node, Place, Problems, Question, Session, Table, Usual, Value, set};

/// A setting with what other settings do to it.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// What the reader asks.
    pub question: Question,
    /// Choices without which there is no such setting; empty where the others do not matter.
    pub only_with: Vec<Choice>,
    /// Choices with which there is no such setting.
    pub never_with: Vec<Choice>,
    /// Defaults under other choices.
    pub defaults: Vec<(Choice, Usual)>,
}

/// That a setting has some value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// Dotted name of its table.
    table: String,
    key: &'static str,
    value: String,
}

/// Every setting, those of a table together.
pub(super) fn settings() -> Vec<Setting> {
    let mut settings: Vec<Setting> = asked(&Table::new()).into_iter().map(Setting::always).collect();
    let mut next = 0;
    while let Some(Setting { question, .. }) = settings.get(next).cloned() {
        for (text, value) in probes(&question.kind) {
            let mut file = Table::new();
            set(&mut file, &question.name(), &Place::Whole, Node { value, place: Place::Whole });
            let choice = text.map(|value| Choice { table: question.table.clone(), key: question.key, value });
            let asked = asked(&file);
            for known in settings.iter_mut().filter(|known| known.question.table == question.table) {
                let is_asked = asked.iter().any(|other| other.name() == known.question.name());
                known.never_with.extend(choice.clone().filter(|_| !is_asked));
            }
            asked.into_iter().for_each(|other| add(&mut settings, other, choice.as_ref()));
        }
        next += 1;
    }
    settings
}

/// The questions that a file is asked.
fn asked(file: &Table) -> Vec<Question> {
    // Much is missing: that is no matter here.
    let problems = Problems::default();
    let session = Session::recording(&problems);
    read_table(&session, file, Source { name: String::new(), text: String::new() });
    session.into_questions()
}

/// Values that may lead to other questions; those that are choices with their names.
fn probes(kind: &Kind) -> Vec<(Option<String>, Value)> {
    match kind {
        Kind::Choice(values) => {
            values.iter().map(|value| (Some(value.name.to_string()), Value::Text(value.name.to_string()))).collect()
        }
        // Upper bounds may depend on others.
        Kind::Integer { most, .. } => {
            i64::try_from(*most).map(|most| (None, Value::Integer(most))).into_iter().collect()
        }
        Kind::Table => vec![(None, Value::Table(Table::new()))],
        Kind::Either(kinds) => kinds.iter().flat_map(probes).collect(),
        Kind::Number { .. } | Kind::Flag | Kind::Text | Kind::Path | Kind::List(_) | Kind::Axes => Vec::new(),
    }
}

/// Adds what a question says, under a choice where there is one.
fn add(settings: &mut Vec<Setting>, question: Question, choice: Option<&Choice>) {
    let Some(known) = settings.iter_mut().find(|known| known.question.name() == question.name()) else {
        let after = settings.iter().rposition(|known| known.question.table == question.table);
        let setting = Setting { only_with: choice.into_iter().cloned().collect(), ..Setting::always(question) };
        settings.insert(after.map_or(settings.len(), |last| last + 1), setting);
        return;
    };
    known.question.kind.widen(&question.kind);
    let Some(choice) = choice else { return };
    if !known.only_with.is_empty() {
        known.only_with.push(choice.clone());
    }
    if known.question.usual != question.usual {
        known.defaults.push((choice.clone(), question.usual));
    }
}

impl Setting {
    fn always(question: Question) -> Self {
        Self { question, only_with: Vec::new(), never_with: Vec::new(), defaults: Vec::new() }
    }

    /// When there is such a setting, in words; nothing where it is always there.
    pub(super) fn condition(&self) -> Option<String> {
        match (self.nearest(&self.only_with, |choice| choice), &self.never_with) {
            (only, _) if !only.is_empty() => Some(format!("only with {}", self.choices(&only))),
            (_, never) if !never.is_empty() => {
                Some(format!("not with {}", self.choices(&never.iter().collect::<Vec<_>>())))
            }
            _ => None,
        }
    }

    /// Its default in words, with those under other choices.
    pub(super) fn default(&self) -> String {
        let usual = match &self.question.usual {
            _ if self.question.required => "required".to_owned(),
            Usual::Absent => "–".to_owned(),
            usual => written(usual),
        };
        let mut others: Vec<(String, Vec<&Choice>)> = Vec::new();
        for (choice, usual) in self.nearest(&self.defaults, |(choice, _)| choice) {
            let usual = written(usual);
            match others.iter_mut().find(|(known, _)| *known == usual) {
                Some((_, choices)) => choices.push(choice),
                None => others.push((usual, vec![choice])),
            }
        }
        let others = others.iter().map(|(usual, choices)| format!("; {usual} with {}", self.choices(choices)));
        std::iter::once(usual).chain(others).collect()
    }

    /// The choices of its own table, where there are some: others act through these.
    fn nearest<'a, T>(&self, items: &'a [T], choice: impl Fn(&T) -> &Choice) -> Vec<&'a T> {
        let own = |item: &&T| choice(item).table == self.question.table;
        let nearest: Vec<&T> = items.iter().filter(own).collect();
        if nearest.is_empty() { items.iter().collect() } else { nearest }
    }

    /// `` `recipe` = `hcw-00`, `xiahaifeng` ``.
    fn choices(&self, choices: &[&Choice]) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| choices[before]);
            let value = format!("`{}`", choice.value);
            match before.filter(|before| before.table == choice.table && before.key == choice.key) {
                Some(_) => parts.push(value),
                None if choice.table == self.question.table => parts.push(format!("`{}` = {value}", choice.key)),
                None => parts.push(format!("`{}.{}` = {value}", choice.table, choice.key)),
            }
        }
        parts.join(", ")
    }
}

fn written(usual: &Usual) -> String {
    match usual {
        Usual::Absent => "none".to_owned(),
        Usual::Value(value) => format!("`{}`", toml_text(value)),
        Usual::Words(words) => (*words).to_owned(),
    }
}

/// A value as TOML has it: lists with a space behind the comma.
fn toml_text(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_alike_in_files_and_stores() {
        let mut checked = 0;
        for setting in settings() {
            let Question { kind, .. } = &setting.question;
            let names = kind.named().into_iter().map(|value| value.name.to_string());
            // A layout that is recognised has no name before the data set is opened.
            for name in names.filter(|name| name != "auto") {
                let node = |value| Node { value, place: Place::Whole };
                let value = match kind {
                    Kind::List(_) => Value::List(vec![node(Value::Text(name.clone()))]),
                    _ => Value::Text(name.clone()),
                };
                let mut file = Table::new();
                set(&mut file, &setting.question.name(), &Place::Whole, node(value));
                let problems = Problems::default();
                let source = Source { name: String::new(), text: String::new() };
                let (sweep, space, _) = read_table(&Session::new(&problems), &file, source);
                let stored = serde_json::json!([sweep, space.base()]).to_string();
                assert!(stored.contains(&format!("\"{name}\"")), "{} = {name}: {stored}", setting.question.name());
                checked += 1;
            }
        }
        assert!(checked > 100, "{checked}");
    }
}
