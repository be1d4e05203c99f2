//! Canonical text of JSON values, from which keys are computed.

use serde::Serialize;
use serde_json::{Number, Value};

/// Returns the canonical text of a value: object members sorted by name, and one notation for each number.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    Text::of(value, None)
}

/// Returns the same text without any `location` member, so that moving files changes no key.
pub(super) fn canonical_without_locations(value: &Value) -> Vec<u8> {
    Text::of(value, Some("location"))
}

struct Text {
    bytes: Vec<u8>,
    /// Name of the members that are left out.
    without: Option<&'static str>,
}

impl Text {
    fn of(value: &Value, without: Option<&'static str>) -> Vec<u8> {
        let mut text = Self { bytes: Vec::with_capacity(1024), without };
        text.add(value);
        text.bytes
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().filter(|(name, _)| self.without != Some(name.as_str())).collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                self.add_all(b"{}", members, |text, (name, value)| {
                    text.add_json(name);
                    text.bytes.push(b':');
                    text.add(value);
                });
            }
            Value::Array(values) => self.add_all(b"[]", values, Self::add),
            Value::Number(number) => self.add_number(number),
            Value::Null | Value::Bool(_) | Value::String(_) => self.add_json(value),
        }
    }

    fn add_all<T>(&mut self, brackets: &[u8; 2], items: impl IntoIterator<Item = T>, add: impl Fn(&mut Self, T)) {
        self.bytes.push(brackets[0]);
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            add(self, item);
        }
        self.bytes.push(brackets[1]);
    }

    /// Writes whole numbers without a fraction, whatever their type: a setting may become a float without changing keys.
    fn add_number(&mut self, number: &Number) {
        /// Largest magnitude up to which every whole number is exactly representable as a float.
        const MOST: f64 = 9_007_199_254_740_992.0;
        match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= MOST => {
                self.add_json(&(float as i64));
            }
            _ => self.add_json(number),
        }
    }

    fn add_json(&mut self, value: &(impl Serialize + ?Sized)) {
        // Cannot fail: texts and numbers have JSON, and a vector accepts every write.
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_everywhere_and_numbers_written_one_way() {
        let text = |json: &str| {
            let value = serde_json::from_str(json).expect("JSON");
            String::from_utf8(canonical(&value)).expect("text")
        };
        assert_eq!(text(r#"{"b": [{"z": 1, "a": null}], "a": "x\n"}"#), r#"{"a":"x\n","b":[{"a":null,"z":1}]}"#);
        assert_eq!(text("[1, 1.0, 10e-1, -0.0, 0]"), "[1,1,1,0,0]");
        assert_eq!(text("[0.1, 1e-9, 1e300, 18446744073709551615]"), "[0.1,1e-9,1e+300,18446744073709551615]");
        assert_ne!(text("[1, 2]"), text("[2, 1]"), "the order of a list is part of it");
    }

    #[test]
    fn locations_are_left_out_at_every_depth_where_that_is_asked() {
        let value = json!({ "images": [{ "digest": "d", "location": { "root": "a" } }], "location": 1 });
        assert_eq!(canonical_without_locations(&value), br#"{"images":[{"digest":"d"}]}"#);
        assert_eq!(canonical(&value), br#"{"images":[{"digest":"d","location":{"root":"a"}}],"location":1}"#);
    }
}
