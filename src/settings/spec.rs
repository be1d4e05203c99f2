//! Description of a setting, recorded when it is read. The JSON schema and the page on the sweep file are generated from it.

use std::borrow::Cow;

use super::name::quoted;

/// A named value with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedValue {
    /// Spelling of the value.
    pub name: Cow<'static, str>,
    /// Meaning of the value, one line; empty if the name is clear.
    pub about: String,
}

impl NamedValue {
    /// Creates a value without a description.
    pub(crate) fn bare(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), about: String::new() }
    }

    /// Creates a value described by its doc comment.
    pub(crate) fn documented(name: &'static str, doc: &str) -> Self {
        Self { name: name.into(), about: first_paragraph(doc) }
    }
}

/// The values that a setting can have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValueKind {
    /// A whole number in a range; `u64::MAX` means no upper bound.
    Integer { min: u64, max: u64 },
    /// A number in a range; infinity means no upper bound.
    Number { min: f64, max: f64 },
    /// True or false.
    Flag,
    /// Any text.
    Text,
    /// A path.
    Path,
    /// One of these values.
    Choice(Vec<NamedValue>),
    /// A list of values of one kind.
    List(Box<ValueKind>),
    /// A table of settings, which have their own descriptions.
    Table,
    /// The axes of a search space.
    Axes,
    /// A value of any of these kinds.
    Either(Vec<ValueKind>),
}

impl ValueKind {
    /// Describes valid values for an error message.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Integer { min, max } if min == max => min.to_string(),
            Self::Integer { min, max: u64::MAX } => format!("a whole number of at least {min}"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } if max.is_finite() => format!("a number from {min} to {max}"),
            Self::Number { min, .. } => format!("a number of at least {min}"),
            Self::Flag => "true or false".to_owned(),
            Self::Text | Self::Path => "text in quotes".to_owned(),
            Self::Choice(values) => {
                format!("one of {}", quoted(&values.iter().map(|value| &value.name).collect::<Vec<_>>()))
            }
            Self::List(items) => match **items {
                Self::Integer { .. } => "a list of whole numbers".to_owned(),
                _ => "a list of texts".to_owned(),
            },
            Self::Table | Self::Axes => "a table".to_owned(),
            Self::Either(kinds) => kinds.iter().map(Self::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    /// Returns all named values, in lists and alternatives too.
    pub(crate) fn named(&self) -> Vec<&NamedValue> {
        match self {
            Self::Choice(values) => values.iter().collect(),
            Self::Either(kinds) => kinds.iter().flat_map(Self::named).collect(),
            Self::List(items) => items.named(),
            _ => Vec::new(),
        }
    }

    /// Returns whether the value can be a table.
    pub(crate) fn has_table(&self) -> bool {
        match self {
            Self::Table => true,
            Self::Either(kinds) => kinds.iter().any(Self::has_table),
            _ => false,
        }
    }

    /// Returns whether the value can be a number.
    pub(crate) fn has_numbers(&self) -> bool {
        match self {
            Self::Integer { .. } | Self::Number { .. } => true,
            Self::Either(kinds) => kinds.iter().any(Self::has_numbers),
            _ => false,
        }
    }

    /// Extends the range of integers by the range that the same setting has under other choices.
    pub(crate) fn widen(&mut self, other: &Self) {
        if let (Self::Integer { min, max }, Self::Integer { min: other_min, max: other_max }) = (self, other) {
            (*min, *max) = ((*min).min(*other_min), (*max).max(*other_max));
        }
    }
}

/// Default of a setting that the file does not give.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DefaultValue {
    /// No default: the setting is absent.
    Absent,
    /// This value.
    Value(serde_json::Value),
    /// A value that depends on other settings or on the data, described in words or by a formula.
    Described(&'static str),
}

/// Description of a setting that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingSpec {
    /// Dotted name of the table; empty at the top level.
    pub table: String,
    /// Key in the table.
    pub key: &'static str,
    /// Meaning of the setting, one line.
    pub about: String,
    /// Valid values.
    pub kind: ValueKind,
    /// Default value.
    pub default: DefaultValue,
    /// Whether a file must give the setting.
    pub required: bool,
}

impl SettingSpec {
    /// Returns the dotted name.
    pub(crate) fn name(&self) -> String {
        if self.table.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.table, self.key) }
    }
}

/// Returns the first paragraph of a doc comment as one line.
pub(crate) fn first_paragraph(doc: &str) -> String {
    let lines = doc.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
