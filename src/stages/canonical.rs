//! Canonical text of JSON values, from which keys are computed.

use serde_json::{Number, Value};

/// Returns the canonical text of a value: object members sorted by name, and one notation for each number.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            join(text, ['{', '}'], members, |(name, value), text| {
                *text += &Value::from(name.as_str()).to_string();
                text.push(':');
                write(value, text);
            });
        }
        Value::Array(values) => join(text, ['[', ']'], values, write),
        Value::Number(number) => write_number(number, text),
        Value::Null | Value::Bool(_) | Value::String(_) => *text += &value.to_string(),
    }
}

/// Removes every `location` member, so that moving files changes no key.
pub(super) fn remove_locations(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.shift_remove("location");
            members.values_mut().for_each(remove_locations);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_locations),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn join<T>(text: &mut String, [open, close]: [char; 2], items: impl IntoIterator<Item = T>, write: fn(T, &mut String)) {
    text.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(item, text);
    }
    text.push(close);
}

/// Writes whole numbers without a fraction, whatever their type: a setting may become a float without changing keys.
fn write_number(number: &Number, text: &mut String) {
    /// Largest magnitude up to which every whole number is exactly representable as a float.
    const MOST: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= MOST => {
            *text += &(float as i64).to_string();
        }
        _ => *text += &number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_everywhere_and_numbers_written_one_way() {
        let text = |json: &str| canonical(&serde_json::from_str(json).expect("JSON"));
        assert_eq!(text(r#"{"b": [{"z": 1, "a": null}], "a": "x\n"}"#), r#"{"a":"x\n","b":[{"a":null,"z":1}]}"#);
        assert_eq!(text("[1, 1.0, 10e-1, -0.0, 0]"), "[1,1,1,0,0]");
        assert_eq!(text("[0.1, 1e-9, 1e300, 18446744073709551615]"), "[0.1,1e-9,1e+300,18446744073709551615]");
        assert_ne!(text("[1, 2]"), text("[2, 1]"), "the order of a list is part of it");
    }

    #[test]
    fn locations_are_removed_at_every_depth() {
        let mut value = json!({ "images": [{ "digest": "d", "location": { "root": "a" } }], "location": 1 });
        remove_locations(&mut value);
        assert_eq!(value, json!({ "images": [{ "digest": "d" }] }));
    }
}
