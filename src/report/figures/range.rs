//! The range of an axis.

/// Returns the smallest and the largest value, with a margin on both sides; `None` if there are no values.
pub(in crate::report) fn room(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = (0.06 * (high - low)).max(1e-3);
    (low <= high).then_some((low - margin, high + margin))
}
