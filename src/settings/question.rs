//! What a setting is, as its reader asks for it: the source of the JSON schema and of the page on the sweep file.

use std::borrow::Cow;

use super::name::quoted;

/// A named value with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedValue {
    /// Its spelling.
    pub name: Cow<'static, str>,
    /// What it does, one line; empty where the name says it.
    pub about: String,
}

impl NamedValue {
    /// A value that needs no description.
    pub(crate) fn bare(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), about: String::new() }
    }

    /// A value with its doc comment.
    pub(crate) fn documented(name: &'static str, doc: &str) -> Self {
        Self { name: name.into(), about: first_paragraph(doc) }
    }
}

/// The values that a setting can have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A whole number in a range; `u64::MAX` stands for no upper bound.
    Integer { least: u64, most: u64 },
    /// A number in a range; infinity stands for no upper bound.
    Number { least: f64, most: f64 },
    /// True or false.
    Flag,
    /// Any text.
    Text,
    /// A path.
    Path,
    /// One of these values.
    Choice(Vec<NamedValue>),
    /// A list of values of one kind.
    List(Box<Kind>),
    /// A table of settings, which are questions of their own.
    Table,
    /// The axes of a search space.
    Axes,
    /// A value of any of these kinds.
    Either(Vec<Kind>),
}

impl Kind {
    /// What a wrong value is told.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Integer { least, most } if least == most => least.to_string(),
            Self::Integer { least, most: u64::MAX } => format!("a whole number of at least {least}"),
            Self::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Self::Number { least, most } if most.is_finite() => format!("a number from {least} to {most}"),
            Self::Number { least, .. } => format!("a number of at least {least}"),
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

    /// The named values among its values.
    pub(crate) fn named(&self) -> Vec<&NamedValue> {
        match self {
            Self::Choice(values) => values.iter().collect(),
            Self::Either(kinds) => kinds.iter().flat_map(Self::named).collect(),
            Self::List(items) => items.named(),
            _ => Vec::new(),
        }
    }

    /// Whether it can be a table.
    pub(crate) fn has_table(&self) -> bool {
        match self {
            Self::Table => true,
            Self::Either(kinds) => kinds.iter().any(Self::has_table),
            _ => false,
        }
    }

    /// Whether it can be a number.
    pub(crate) fn has_numbers(&self) -> bool {
        match self {
            Self::Integer { .. } | Self::Number { .. } => true,
            Self::Either(kinds) => kinds.iter().any(Self::has_numbers),
            _ => false,
        }
    }

    /// Takes in the range of the same setting where others are chosen otherwise.
    pub(crate) fn widen(&mut self, other: &Self) {
        if let (Self::Integer { least, most }, Self::Integer { least: other_least, most: other_most }) = (self, other) {
            (*least, *most) = ((*least).min(*other_least), (*most).max(*other_most));
        }
    }
}

/// What a setting is where the file does not give it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Usual {
    /// Nothing: the setting is absent.
    Absent,
    /// This value.
    Value(serde_json::Value),
    /// What these words say: a formula, or what the data decide.
    Words(&'static str),
}

/// A setting that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    /// Dotted name of its table; empty at the top of the file.
    pub table: String,
    /// Its key.
    pub key: &'static str,
    /// What it does, one line.
    pub about: String,
    /// Its values.
    pub kind: Kind,
    /// Its default.
    pub usual: Usual,
    /// Whether a file without it is refused.
    pub required: bool,
}

impl Question {
    /// The dotted name.
    pub(crate) fn name(&self) -> String {
        if self.table.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.table, self.key) }
    }
}

/// The first paragraph of a doc comment as one line.
pub(crate) fn first_paragraph(doc: &str) -> String {
    let lines = doc.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
