//! Functions of the database's clock. Times are UTC, as text that sorts by time: `2026-01-31T12:00:00.000Z`.
//!
//! Statements call these functions by name. SQLite has no functions of these names, so their calls are translated.

/// Current time.
pub(super) const NOW: &str = "now_utc()";

/// Seconds since the time in a column. The result is 0 if the clock was set back.
pub(super) fn since(column: &str) -> String {
    format!("seconds_since({column})")
}

/// Seconds until the time in a column. The result is 0 if that time is over.
pub(super) fn until(column: &str) -> String {
    format!("seconds_until({column})")
}

/// The time `seconds` from now.
pub(super) fn later(seconds: f64) -> String {
    format!("seconds_from_now({seconds:.3})")
}

/// Names of the functions, each with its opening parenthesis.
const NAMES: [&str; 4] = ["now_utc(", "seconds_since(", "seconds_until(", "seconds_from_now("];

/// Translates the calls in a statement to SQLite's functions.
pub(super) fn for_sqlite(mut text: String) -> String {
    for name in NAMES {
        while let Some(start) = text.find(name) {
            let argument = start + name.len();
            // Arguments are columns and numbers, without parentheses.
            let Some(length) = text[argument..].find(')') else { break };
            let call = sqlite_call(name, &text[argument..argument + length]);
            text.replace_range(start..=argument + length, &call);
        }
    }
    text
}

fn sqlite_call(name: &str, argument: &str) -> String {
    let now = "julianday('now')";
    match name {
        "seconds_since(" => format!("MAX(0.0, ({now} - julianday({argument})) * 86400.0)"),
        "seconds_until(" => format!("MAX(0.0, (julianday({argument}) - {now}) * 86400.0)"),
        "seconds_from_now(" => format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{argument} seconds')"),
        _ => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_translated_wherever_they_stand() {
        let text = format!("UPDATE a SET at = {NOW}, s = {} WHERE t > {} AND u < {NOW}", since("b.c"), later(1.5));
        let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
        assert_eq!(
            for_sqlite(text),
            format!(
                "UPDATE a SET at = {now}, s = MAX(0.0, (julianday('now') - julianday(b.c)) * 86400.0)
                 WHERE t > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1.500 seconds') AND u < {now}"
            )
            .replace("\n                ", "")
        );
        assert_eq!(for_sqlite("SELECT 1".to_owned()), "SELECT 1");
    }
}
