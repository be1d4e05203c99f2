//! The JSON schema of the sweep file, for editors.

use serde_json::{Map, Value as Json, json};

use super::describe::{Setting, settings};
use super::entry::{AxisKind, STEP, WHEN, is_searchable};
use crate::settings::{DefaultValue, Named, NamedValue, ValueKind, first_paragraph};

/// Returns a JSON schema (draft 2020-12) of the sweep file.
pub fn schema() -> Json {
    let settings = settings();
    let mut schema = table(&settings, "");
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "didact sweep file",
        "description": "Teacher–student anomaly-detection experiments: data, networks, training, evaluation and search.",
    });
    let mut complete = Map::new();
    for part in [head, schema.take(), json!({ "$defs": { "range": range(), "conditions": conditions() } })] {
        complete.extend(part.as_object().cloned().unwrap_or_default());
    }
    complete.into()
}

/// Returns the schema of a table with its settings.
fn table(settings: &[Setting], path: &str) -> Json {
    let own = || settings.iter().filter(|setting| setting.spec.table == path);
    let properties: Map<String, Json> =
        own().map(|setting| (setting.spec.key.to_owned(), property(settings, setting))).collect();
    let required: Vec<&str> = own().filter(|s| s.spec.required).map(|s| s.spec.key).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Returns the schema of one setting: its values, description and default.
fn property(settings: &[Setting], setting: &Setting) -> Json {
    let mut schema = schema_of(&setting.spec.kind, settings, &setting.spec.name());
    schema["description"] = description(setting).into();
    if let DefaultValue::Value(value) = &setting.spec.default {
        schema["default"] = value.clone();
    }
    schema
}

/// Describes a setting: its meaning, its default, and the choices on which they depend.
fn description(setting: &Setting) -> String {
    let spec = &setting.spec;
    let mut text = spec.about.clone();
    if let Some(condition) = setting.condition() {
        text.push_str(&format!(" ({condition})"));
    }
    if !spec.required && !matches!(spec.kind, ValueKind::Table | ValueKind::Axes) {
        text.push_str(&format!(" Default: {}.", setting.default()));
    }
    for value in spec.kind.named().iter().filter(|value| !value.about.is_empty()) {
        text.push_str(&format!("\n- `{}`: {}", value.name, value.about));
    }
    text
}

fn schema_of(kind: &ValueKind, settings: &[Setting], name: &str) -> Json {
    match kind {
        ValueKind::Integer { min, max: u64::MAX } => json!({ "type": "integer", "minimum": min }),
        ValueKind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        ValueKind::Number { min, max } if max.is_finite() => {
            json!({ "type": "number", "minimum": min, "maximum": max })
        }
        ValueKind::Number { min, .. } => json!({ "type": "number", "minimum": min }),
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Text | ValueKind::Path => json!({ "type": "string" }),
        ValueKind::Choice(values) => enumeration(values),
        ValueKind::List(items) => json!({ "type": "array", "items": schema_of(items, settings, name) }),
        ValueKind::Table => table(settings, name),
        ValueKind::Axes => axes(settings),
        ValueKind::Either(kinds) => {
            let kinds: Vec<Json> = kinds.iter().map(|kind| schema_of(kind, settings, name)).collect();
            json!({ "anyOf": kinds })
        }
    }
}

/// Returns the schema of named values. Taplo shows the description of each.
fn enumeration(values: &[NamedValue]) -> Json {
    let names: Vec<&str> = values.iter().map(|value| value.name.as_ref()).collect();
    let docs: Vec<&str> = values.iter().map(|value| value.about.as_str()).collect();
    json!({ "enum": names, "x-taplo": { "docs": { "enumValues": docs } } })
}

/// Returns the schema of `[search.space]`: one property per searchable setting, restricted to the setting's valid values.
fn axes(settings: &[Setting]) -> Json {
    let searchable = settings.iter().filter(|setting| is_searchable(&setting.spec.name()));
    let axis = |setting: &Setting| {
        let name = setting.spec.name();
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
        let forms = match setting.spec.kind.has_numbers() {
            true => vec![values, listed, json!({ "$ref": "#/$defs/range" })],
            false => vec![values, listed],
        };
        (name, json!({ "anyOf": forms, "description": setting.spec.about }))
    };
    let axes: Map<String, Json> = searchable.map(axis).collect();
    json!({ "type": "object", "properties": axes, "additionalProperties": false })
}

/// Returns the schema of a range of numbers.
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

/// Returns the schema of an axis's conditions.
fn conditions() -> Json {
    json!({
        "type": "object",
        "description": "Conditions on other axes or settings: dotted names with a value or a list of values. Unless all hold, the axis is \
                        left out.",
        "additionalProperties": true,
    })
}

#[cfg(test)]
mod tests;
