//! Places to bind in a statement.

/// A place for each value: "?, ?, ?".
pub(super) fn places<T>(values: &[T]) -> String {
    vec!["?"; values.len()].join(", ")
}
