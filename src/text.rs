//! Formats numbers and texts for people.

use std::fmt::Display;
use std::time::Duration;

/// Formats a difference: "+0.0012", with a true minus sign.
pub(crate) fn signed(value: f64) -> String {
    let text = format!("{:+.4}", value);
    // A value that rounds to zero has no sign.
    let text = if text.trim_start_matches(['+', '-']) == "0.0000" { "0.0000".to_owned() } else { text };
    text.replace('-', "−")
}

/// Formats a count: "11.2 million", "175 thousand".
pub(crate) fn count(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} billion", v / 1e9),
        v if v >= 1e6 => format!("{:.2} million", v / 1e6),
        v if v >= 1e3 => format!("{:.0} thousand", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// Formats a number of things, whose noun is regular: "1 run", "3 runs", "2 categories".
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    match noun.strip_suffix('y') {
        _ if count == "1" => format!("1 {noun}"),
        // "days" keeps its y.
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

/// Returns the word that agrees with a number of things, such as "is" or "are".
pub(crate) fn agreeing<'w>(count: impl Display, one: &'w str, many: &'w str) -> &'w str {
    if count.to_string() == "1" { one } else { many }
}

/// Formats a setting's value with all its digits; text without quotation marks.
pub(crate) fn exact(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Formats a setting's value; a number has four digits.
pub(crate) fn rounded(value: &serde_json::Value) -> String {
    let number = value.as_f64().filter(|_| value.is_f64());
    number.map_or_else(|| exact(value), |number| round_to_digits(number, 4).to_string())
}

/// Rounds a number to this many significant digits.
pub(crate) fn round_to_digits(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// Returns the highest number with this many significant digits that is not above `value`.
pub(crate) fn round_down_to_digits(value: f64, digits: usize) -> f64 {
    let near = round_to_digits(value, digits);
    if near <= value {
        return near;
    }
    let unit = 10_f64.powi(value.abs().log10().floor() as i32 + 1 - digits as i32);
    round_to_digits(near - unit, digits)
}

/// Returns the last component: "learning_rate" of "joint.student.learning_rate".
pub(crate) fn last_component(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Encodes a text as one part of an address, as `encodeURIComponent` does: everything except letters, digits and `-_.!~*'()`.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Truncates a text to `length` characters; "…" replaces the rest.
pub(crate) fn truncated(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some(_) => text.chars().take(length - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// Truncates a text in its middle, because similar names often differ at their end.
pub(crate) fn truncated_middle(text: &str, length: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= length {
        return text.to_owned();
    }
    let head = length / 3;
    let tail = characters.len() - (length - 1 - head);
    characters[..head].iter().chain(&['…']).chain(&characters[tail..]).collect()
}

/// Formats a duration: "12.3 s", "4 min 05 s", "2 h 10 min".
pub(crate) fn duration(seconds: f64) -> String {
    let rounded = seconds.round() as u64;
    match rounded {
        0..100 => format!("{seconds:.1} s"),
        100..6000 => format!("{} min {:02} s", rounded / 60, rounded % 60),
        _ => format!("{} h {:02} min", rounded / 3600, rounded % 3600 / 60),
    }
}

/// Formats a duration of work that is under way: "45 s", "12 min", "3 h 20 min", "2.3 days".
pub(crate) fn rough_duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => {
            let minutes = (s / 60.0).round() as u64;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
        s => format!("{:.1} days", s / 86_400.0),
    }
}

/// Formats how much `value` exceeds `reference`: "+35 %".
pub(crate) fn percent(value: f64, reference: f64) -> String {
    format!("{:+.0} %", 100.0 * (value / reference - 1.0)).replace('-', "−")
}

/// Formats a p-value: "0.031", "< 0.001".
pub(crate) fn short_p(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// Formats a p-value to follow its name: "= 0.031", "< 0.001".
pub fn p_value(p: f64) -> String {
    if p < 0.001 { short_p(p) } else { format!("= {}", short_p(p)) }
}

/// Formats a table; each column is as wide as its longest cell.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    std::iter::once(line(&mut head.iter().copied()))
        .chain(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_formatted() {
        assert_eq!([signed(0.00123), signed(-0.5), signed(-0.000_01)], ["+0.0012", "−0.5000", "0.0000"]);
        let things = [(1, "run"), (3, "run"), (1, "category"), (2, "category"), (0, "day")];
        assert_eq!(
            things.map(|(count, noun)| counted(count, noun)),
            ["1 run", "3 runs", "1 category", "2 categories", "0 days"]
        );
        assert_eq!([0, 1, 2].map(|count| agreeing(count, "is", "are")), ["are", "is", "are"]);
        assert_eq!([count(2.8e6), count(175_000.0), count(12.0)], ["2.80 million", "175 thousand", "12"]);
        let values = [serde_json::json!(0.00682879990009), serde_json::json!(0.1), serde_json::json!(12345)];
        assert_eq!(values.each_ref().map(rounded), ["0.006829", "0.1", "12345"]);
        assert_eq!(
            (exact(&serde_json::json!("none")), truncated("concat-conv", 7)),
            ("none".to_owned(), "concat…".to_owned())
        );
        assert_eq!(
            [truncated_middle("skip=add (rate=0.1)", 10), truncated_middle("skip=add", 8)],
            ["ski…e=0.1)", "skip=add"]
        );
        let down = [(0.349_856_76, 2), (0.349_856_76, 3), (-0.123, 2), (0.0, 2), (0.9955, 2)]
            .map(|(v, n)| round_down_to_digits(v, n));
        assert_eq!(down, [0.34, 0.349, -0.13, 0.0, 0.99]);
        assert_eq!([duration(3.21), duration(245.0), duration(7800.0)], ["3.2 s", "4 min 05 s", "2 h 10 min"]);
        assert_eq!([percent(135.0, 100.0), percent(90.0, 100.0)], ["+35 %", "−10 %"]);
    }

    #[test]
    fn durations_have_one_unit_or_hours_and_minutes() {
        let text = |seconds| rough_duration(Duration::from_secs(seconds));
        assert_eq!([text(45), text(600), text(12_000), text(200_000)], ["45 s", "10 min", "3 h 20 min", "2.3 days"]);
    }
}
