//! Selects the categories that a sweep runs over.

use serde::{Deserialize, Serialize};

use super::repeated::repeated;
use crate::settings::{DefaultValue, Field, NamedValue, Value, ValueKind};

/// The categories that a sweep runs over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CategorySelection {
    /// Every category of the data set, in alphabetical order.
    All,
    /// The named categories, in this order.
    Named(Vec<String>),
}

impl CategorySelection {
    /// Reads `"all"` or a list of names.
    pub(super) fn read(field: Field<'_>) -> Self {
        let all = || vec![(NamedValue::documented("all", "Every category, in alphabetical order."), Self::All)];
        let kind = || {
            let names = all().into_iter().map(|(named, _)| named).collect();
            ValueKind::Either(vec![ValueKind::Choice(names), ValueKind::List(Box::new(ValueKind::Text))])
        };
        field.describe(kind, DefaultValue::Value("all".into()));
        if matches!(field.given(), Some(Value::Text(_))) {
            return field.one_of(all, DefaultValue::Absent).unwrap_or(Self::All);
        }
        let Some(names) = field.texts() else { return Self::All };
        if names.is_empty() {
            field.refuse("`data.categories` is empty", "name at least one category, or \"all\"");
            return Self::All;
        }
        for (index, name) in repeated(&names) {
            field.refuse_item(index, format!("category \"{name}\" is listed twice"), "list each category once");
        }
        Self::Named(names)
    }
}
