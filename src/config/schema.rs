//! The JSON schema of the sweep file, for editors.

use serde_json::{Map, Value as Json, json};

use super::describe::{Setting, settings};
use super::entry::{AxisKind, STEP, WHEN, is_searchable};
use crate::settings::{Choice, Kind, Named, NamedValue, Usual, first_paragraph};

/// A JSON schema (draft 2020-12) of the sweep file.
pub fn schema() -> Json {
    let settings = settings();
    let mut schema = table(&settings, "");
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "didact sweep file",
        "description": "Teacher–student anomaly-detection experiments: data, networks, training, evaluation and search.",
    });
    let mut whole = Map::new();
    for part in [head, schema.take(), json!({ "$defs": { "range": range(), "conditions": conditions() } })] {
        whole.extend(part.as_object().cloned().unwrap_or_default());
    }
    whole.into()
}

/// A table with its settings.
fn table(settings: &[Setting], path: &str) -> Json {
    let own = || settings.iter().filter(|setting| setting.question.table == path);
    let properties: Map<String, Json> =
        own().map(|setting| (setting.question.key.to_owned(), property(settings, setting))).collect();
    let required: Vec<&str> = own().filter(|s| s.question.required).map(|s| s.question.key).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// One setting: its values, its description, its default.
fn property(settings: &[Setting], setting: &Setting) -> Json {
    let mut schema = of_kind(&setting.question.kind, settings, &setting.question.name());
    schema["description"] = description(setting).into();
    if let Usual::Value(value) = &setting.question.usual {
        schema["default"] = value.clone();
    }
    schema
}

/// What the setting means, and its default where that depends on others.
fn description(setting: &Setting) -> String {
    let question = &setting.question;
    let mut text = question.about.clone();
    if let Some(condition) = setting.condition() {
        text.push_str(&format!(" ({condition})"));
    }
    if !question.required && !matches!(question.kind, Kind::Table | Kind::Axes) {
        text.push_str(&format!(" Default: {}.", setting.default()));
    }
    for value in question.kind.named().iter().filter(|value| !value.about.is_empty()) {
        text.push_str(&format!("\n- `{}`: {}", value.name, value.about));
    }
    text
}

fn of_kind(kind: &Kind, settings: &[Setting], name: &str) -> Json {
    match kind {
        Kind::Integer { least, most: u64::MAX } => json!({ "type": "integer", "minimum": least }),
        Kind::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Number { least, most } if most.is_finite() => {
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Kind::Number { least, .. } => json!({ "type": "number", "minimum": least }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text | Kind::Path => json!({ "type": "string" }),
        Kind::Choice(values) => enumeration(values),
        Kind::List(items) => json!({ "type": "array", "items": of_kind(items, settings, name) }),
        Kind::Table => table(settings, name),
        Kind::Axes => axes(settings),
        Kind::Either(kinds) => {
            let kinds: Vec<Json> = kinds.iter().map(|kind| of_kind(kind, settings, name)).collect();
            json!({ "anyOf": kinds })
        }
    }
}

/// Named values; Taplo shows the description of each.
fn enumeration(values: &[NamedValue]) -> Json {
    let names: Vec<&str> = values.iter().map(|value| value.name.as_ref()).collect();
    let docs: Vec<&str> = values.iter().map(|value| value.about.as_str()).collect();
    json!({ "enum": names, "x-taplo": { "docs": { "enumValues": docs } } })
}

/// `[search.space]`: each setting that can be searched, with values that it can have.
fn axes(settings: &[Setting]) -> Json {
    let searchable = settings.iter().filter(|setting| is_searchable(&setting.question.name()));
    let axis = |setting: &Setting| {
        let name = setting.question.name();
        let pointer: String = name.split('.').map(|key| format!("/properties/{key}")).collect();
        let values = json!({ "type": "array", "minItems": 1, "items": { "$ref": format!("#{pointer}") } });
        let mut properties = Map::new();
        properties.insert(AxisKind::Choices.name().to_owned(), values.clone());
        properties.insert(WHEN.to_owned(), json!({ "$ref": "#/$defs/conditions" }));
        let listed = json!({
            "type": "object",
            "properties": properties,
            "required": [AxisKind::Choices.name()],
            "additionalProperties": false,
        });
        let forms = match setting.question.kind.has_numbers() {
            true => vec![values, listed, json!({ "$ref": "#/$defs/range" })],
            false => vec![values, listed],
        };
        (name, json!({ "anyOf": forms, "description": setting.question.about }))
    };
    let axes: Map<String, Json> = searchable.map(axis).collect();
    json!({ "type": "object", "properties": axes, "additionalProperties": false })
}

/// A range of numbers, by one of the kinds of axes.
fn range() -> Json {
    let ranges = || AxisKind::ALL.iter().filter(|kind| **kind != AxisKind::Choices);
    let mut properties = Map::new();
    for kind in ranges() {
        let bound = if kind.is_whole() { "integer" } else { "number" };
        let bounds = json!({ "type": "array", "items": { "type": bound }, "minItems": 2, "maxItems": 2 });
        properties.insert(kind.name().to_owned(), bounds);
        properties[kind.name()]["description"] = first_paragraph(kind.doc()).into();
    }
    properties.insert(STEP.to_owned(), json!({ "type": "number", "exclusiveMinimum": 0 }));
    properties.insert(WHEN.to_owned(), json!({ "$ref": "#/$defs/conditions" }));
    let one: Vec<Json> = ranges().map(|kind| json!({ "required": [kind.name()] })).collect();
    json!({ "type": "object", "properties": properties, "oneOf": one, "additionalProperties": false })
}

/// The conditions of an axis.
fn conditions() -> Json {
    json!({
        "type": "object",
        "description": "Values of other axes or settings without which the axis is left out: a value or a list, by dotted name.",
        "additionalProperties": true,
    })
}

#[cfg(test)]
mod tests;
