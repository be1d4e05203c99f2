//! Placeholders in a SQL statement.

/// Returns one placeholder per value, such as `?, ?, ?`.
pub(super) fn placeholders<T>(values: &[T]) -> String {
    vec!["?"; values.len()].join(", ")
}
