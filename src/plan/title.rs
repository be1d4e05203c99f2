//! Titles of trials: short id and settings.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::short_name;
use crate::text::{exact, round_to_digits};

/// Returns the short id of a trial in its sweep: `T07` for number 7.
pub fn trial_id(number: i64) -> String {
    format!("T{number:02}")
}

/// Parses a short id. Returns `None` for any other text. Leading zeros and case are ignored: `t7` is `T07`.
pub fn trial_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['T', 't'])?;
    (!digits.is_empty() && digits.len() <= 9 && digits.chars().all(|c| c.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Returns all searched values, with numbers to four significant digits: `autoencoder=unet, learning_rate=0.0123`. Returns the variant's
/// label if nothing was searched.
pub fn trial_settings(variant: &str, axes: &BTreeMap<String, Value>) -> String {
    let names: Vec<&String> = axes.keys().collect();
    let parts: Vec<String> =
        axes.iter().map(|(name, value)| format!("{}={}", short_name(name, &names), rounded_text(value))).collect();
    if parts.is_empty() { variant.to_owned() } else { parts.join(", ") }
}

/// Returns the short id and the settings: `T07 autoencoder=unet, learning_rate=0.0123`.
pub fn trial_title(number: i64, variant: &str, axes: &BTreeMap<String, Value>) -> String {
    format!("{} {}", trial_id(number), trial_settings(variant, axes))
}

fn rounded_text(value: &Value) -> String {
    let number = value.as_f64().filter(|_| value.is_f64());
    number.map_or_else(|| exact(value), |number| Value::from(round_to_digits(number, 4)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trial_is_called_by_its_id_and_its_settings() {
        let axes = |value: Value| serde_json::from_value::<BTreeMap<String, Value>>(value).expect("a table");
        let searched = axes(json!({ "model.autoencoder": "unet", "joint.student.learning_rate": 0.012_345_678 }));
        assert_eq!(trial_title(7, "autoencoder=unet", &searched), "T07 learning_rate=0.01235, autoencoder=unet");
        assert_eq!(trial_title(123, "ST-FPM", &axes(json!({}))), "T123 ST-FPM");
        // Two settings with the same short name are shown with their tables.
        let alike = axes(json!({ "joint.student.learning_rate": 0.1, "joint.autoencoder.learning_rate": 1e-9 }));
        assert_eq!(trial_settings("", &alike), "joint.autoencoder.learning_rate=1e-9, joint.student.learning_rate=0.1");
    }

    #[test]
    fn ids_are_read_as_people_write_them() {
        assert_eq!([trial_number("T07"), trial_number("t7"), trial_number("T123")], [Some(7), Some(7), Some(123)]);
        for text in ["T", "07", "T7a", "tiny", "T-1", "T99999999999999999999"] {
            assert_eq!(trial_number(text), None, "{text}");
        }
    }
}
