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
mod style;

pub(super) use registry::{FigureChapter, FigureKind, FigureSource, Figures};
pub(super) use style::ink;
use style::{centred, room};
