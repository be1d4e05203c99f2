//! Text and ranges that figures have in common.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::figure::INK;

/// Text of a size in the page's ink.
pub(in crate::report) fn ink(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).color(&INK)
}

/// The same, centred on its place.
pub(super) fn centred(size: u32) -> TextStyle<'static> {
    ink(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// The smallest and the largest value, with some room on both sides; none of no values.
pub(super) fn room(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = (0.06 * (high - low)).max(1e-3);
    (low <= high).then_some((low - margin, high + margin))
}
