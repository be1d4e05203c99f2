//! The figures of a page, one kind a file.

mod bars;
mod contour;
mod dots;
mod few_ticks;
mod forest;
mod history;
mod learning;
pub(super) mod legend;
mod parallel;
mod pareto;
mod registry;
mod selection;
mod shapes;
mod slices;
mod stability;

pub(super) use registry::{FigureChapter, FigureKind, FigureSource, Figures};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::INK;

/// Text of a size in the page's ink.
pub(super) fn ink(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).color(&INK)
}

/// The same, centred on its place.
fn centred(size: u32) -> TextStyle<'static> {
    ink(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// The smallest and the largest value, with some room on both sides; none of no values.
fn room(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = (0.06 * (high - low)).max(1e-3);
    (low <= high).then_some((low - margin, high + margin))
}
