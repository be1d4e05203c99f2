//! Collects the descriptions of all settings of a sweep file.
//!
//! The reader reads an empty file first, then one file per choice that it offers. This finds settings that exist only with some choices,
//! and defaults that depend on a choice.

use serde_json::Value as Json;

use super::load::{SweepSource, read_table};
use crate::settings::{DefaultValue, Node, Place, Problems, Session, SettingSpec, Table, Value, ValueKind, set};

/// A setting, and how it depends on other settings.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Description of the setting.
    pub spec: SettingSpec,
    /// Choices that the setting needs: it exists only with one of them. Empty if it needs none.
    pub only_with: Vec<ChosenValue>,
    /// Choices with which the setting does not exist.
    pub never_with: Vec<ChosenValue>,
    /// Defaults that differ, with the choice that changes them.
    pub defaults: Vec<(ChosenValue, DefaultValue)>,
}

/// A setting with a chosen value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChosenValue {
    /// Dotted name of the table.
    table: String,
    key: &'static str,
    value: String,
}

/// Returns every setting, grouped by table.
pub(super) fn settings() -> Vec<Setting> {
    let mut settings: Vec<Setting> = specs_of(&Table::new()).into_iter().map(Setting::always).collect();
    let mut next = 0;
    while let Some(Setting { spec, .. }) = settings.get(next).cloned() {
        for (text, value) in probes(&spec.kind) {
            let mut file = Table::new();
            set(&mut file, &spec.name(), &Place::WholeFile, Node { value, place: Place::WholeFile });
            let choice = text.map(|value| ChosenValue { table: spec.table.clone(), key: spec.key, value });
            let specs = specs_of(&file);
            for setting in settings.iter_mut().filter(|setting| setting.spec.table == spec.table) {
                let exists = specs.iter().any(|other| other.name() == setting.spec.name());
                setting.never_with.extend(choice.clone().filter(|_| !exists));
            }
            specs.into_iter().for_each(|other| add(&mut settings, other, choice.as_ref()));
        }
        next += 1;
    }
    settings
}

/// Returns the descriptions of the settings that the reader reads from a file.
fn specs_of(file: &Table) -> Vec<SettingSpec> {
    // Errors such as missing settings do not matter here.
    let problems = Problems::default();
    let session = Session::recording(&problems);
    read_table(&session, file, SweepSource { name: String::new(), text: String::new() });
    session.into_specs()
}

/// Returns values that may change which settings exist. A value that is a choice has its name.
fn probes(kind: &ValueKind) -> Vec<(Option<String>, Value)> {
    match kind {
        ValueKind::Choice(values) => {
            values.iter().map(|value| (Some(value.name.to_string()), Value::Text(value.name.to_string()))).collect()
        }
        // Upper bounds may depend on other settings.
        ValueKind::Integer { max, .. } => {
            i64::try_from(*max).map(|max| (None, Value::Integer(max))).into_iter().collect()
        }
        ValueKind::Table => vec![(None, Value::Table(Table::new()))],
        ValueKind::Either(kinds) => kinds.iter().flat_map(probes).collect(),
        ValueKind::Number { .. }
        | ValueKind::Flag
        | ValueKind::Text
        | ValueKind::Path
        | ValueKind::List(_)
        | ValueKind::Axes => Vec::new(),
    }
}

/// Adds a description that was recorded under this choice, if any.
fn add(settings: &mut Vec<Setting>, spec: SettingSpec, choice: Option<&ChosenValue>) {
    let Some(known) = settings.iter_mut().find(|known| known.spec.name() == spec.name()) else {
        let after = settings.iter().rposition(|known| known.spec.table == spec.table);
        let setting = Setting { only_with: choice.into_iter().cloned().collect(), ..Setting::always(spec) };
        settings.insert(after.map_or(settings.len(), |last| last + 1), setting);
        return;
    };
    known.spec.kind.widen(&spec.kind);
    let Some(choice) = choice else { return };
    if !known.only_with.is_empty() {
        known.only_with.push(choice.clone());
    }
    if known.spec.default != spec.default {
        known.defaults.push((choice.clone(), spec.default));
    }
}

impl Setting {
    fn always(spec: SettingSpec) -> Self {
        Self { spec, only_with: Vec::new(), never_with: Vec::new(), defaults: Vec::new() }
    }

    /// Describes when the setting exists. Returns `None` if it always exists.
    pub(super) fn condition(&self) -> Option<String> {
        match (self.nearest(&self.only_with, |choice| choice), &self.never_with) {
            (only, _) if !only.is_empty() => Some(format!("only with {}", self.choices(&only))),
            (_, never) if !never.is_empty() => {
                Some(format!("not with {}", self.choices(&never.iter().collect::<Vec<_>>())))
            }
            _ => None,
        }
    }

    /// Describes the default, and the defaults under other choices.
    pub(super) fn default(&self) -> String {
        let default = match &self.spec.default {
            _ if self.spec.required => "required".to_owned(),
            DefaultValue::Absent => "–".to_owned(),
            default => default_text(default),
        };
        let mut others: Vec<(String, Vec<&ChosenValue>)> = Vec::new();
        for (choice, default) in self.nearest(&self.defaults, |(choice, _)| choice) {
            let default = default_text(default);
            match others.iter_mut().find(|(known, _)| *known == default) {
                Some((_, choices)) => choices.push(choice),
                None => others.push((default, vec![choice])),
            }
        }
        let others = others.iter().map(|(default, choices)| format!("; {default} with {}", self.choices(choices)));
        std::iter::once(default).chain(others).collect()
    }

    /// Returns the choices in the setting's own table, or all if it has none. Choices elsewhere act through those in the own table.
    fn nearest<'a, T>(&self, items: &'a [T], choice: impl Fn(&T) -> &ChosenValue) -> Vec<&'a T> {
        let own = |item: &&T| choice(item).table == self.spec.table;
        let nearest: Vec<&T> = items.iter().filter(own).collect();
        if nearest.is_empty() { items.iter().collect() } else { nearest }
    }

    /// Formats choices: `` `recipe` = `hcw-00`, `xiahaifeng` ``.
    fn choices(&self, choices: &[&ChosenValue]) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| choices[before]);
            let value = format!("`{}`", choice.value);
            match before.filter(|before| before.table == choice.table && before.key == choice.key) {
                Some(_) => parts.push(value),
                None if choice.table == self.spec.table => parts.push(format!("`{}` = {value}", choice.key)),
                None => parts.push(format!("`{}.{}` = {value}", choice.table, choice.key)),
            }
        }
        parts.join(", ")
    }
}

fn default_text(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Absent => "none".to_owned(),
        DefaultValue::Value(value) => format!("`{}`", toml_text(value)),
        DefaultValue::Described(words) => (*words).to_owned(),
    }
}

/// Formats a value as TOML: lists with a space after each comma.
fn toml_text(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MetricPreset;

    #[test]
    fn values_have_the_same_spelling_in_files_and_stores() {
        let mut checked = 0;
        for setting in settings() {
            let SettingSpec { kind, .. } = &setting.spec;
            let names = kind.named().into_iter().map(|value| value.name.to_string());
            let in_list = |name: &str| {
                let lists = match kind {
                    ValueKind::Either(kinds) => kinds.as_slice(),
                    kind => std::slice::from_ref(kind),
                };
                let lists = lists.iter().filter(|kind| matches!(kind, ValueKind::List(_)));
                lists.flat_map(ValueKind::named).any(|value| value.name == name)
            };
            // With `auto`, the layout has no name before the data set is opened. An encoder is stored as its auto-encoder alone. A preset
            // stands for its metrics.
            let is_stored =
                |name: &String| !["auto", "encoder"].contains(&name.as_str()) && MetricPreset::named(name).is_none();
            for name in names.filter(is_stored) {
                let node = |value| Node { value, place: Place::WholeFile };
                let value = match in_list(&name) {
                    true => Value::List(vec![node(Value::Text(name.clone()))]),
                    false => Value::Text(name.clone()),
                };
                let mut file = Table::new();
                set(&mut file, &setting.spec.name(), &Place::WholeFile, node(value));
                let problems = Problems::default();
                let source = SweepSource { name: String::new(), text: String::new() };
                let (sweep, space, _) = read_table(&Session::new(&problems), &file, source);
                let stored = serde_json::json!([sweep, space.base()]).to_string();
                assert!(stored.contains(&format!("\"{name}\"")), "{} = {name}: {stored}", setting.spec.name());
                checked += 1;
            }
        }
        assert!(checked > 100, "{checked}");
    }
}
