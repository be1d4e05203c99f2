//! Text styles and ranges that figures share.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::figure::INK;

/// Returns the text style of a size in the page's ink.
pub(in crate::report) fn ink(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).color(&INK)
}

/// Returns the same style, centred on its position.
pub(super) fn centred(size: u32) -> TextStyle<'static> {
    ink(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Returns the smallest and the largest value, with a margin on both sides; `None` if there are no values.
pub(super) fn room(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = (0.06 * (high - low)).max(1e-3);
    (low <= high).then_some((low - margin, high + margin))
}
