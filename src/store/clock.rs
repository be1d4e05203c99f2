//! SQL of times, by the database's clock.

/// Current time of the database's clock in UTC, as text that sorts by time.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// SQL for the seconds since the time in a column, by the database's clock. The result is 0 if the clock was set back.
pub(super) fn since(column: &str) -> String {
    format!("MAX(0.0, (julianday('now') - julianday({column})) * 86400.0)")
}

/// SQL for the seconds until the time in a column, by the database's clock. The result is 0 if that time is over.
pub(super) fn until(column: &str) -> String {
    format!("MAX(0.0, (julianday({column}) - julianday('now')) * 86400.0)")
}

/// SQL for the time `seconds` from now, by the database's clock.
pub(super) fn later(seconds: f64) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds:.3} seconds')")
}
