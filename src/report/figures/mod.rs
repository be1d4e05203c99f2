//! The figures of a page, one kind per file.

mod bars;
mod contour;
mod dots;
mod few_ticks;
mod forest;
mod history;
mod kind;
mod learning;
pub(super) mod legend;
mod parallel;
mod pareto;
mod ranks;
mod selection;
mod shapes;
mod slices;
mod stability;
mod style;

pub(super) use kind::{FigureChapter, FigureKind, FigureSource, Figures};
pub(super) use style::ink;
use style::{centred, room};

/// All kinds of figures, in their order within a chapter.
const KINDS: [FigureKind; 14] = [
    bars::KIND,
    forest::VARIANTS,
    ranks::KIND,
    forest::LEVELS,
    contour::KIND,
    shapes::KIND,
    slices::KIND,
    parallel::KIND,
    history::KIND,
    learning::KIND,
    selection::KIND,
    stability::KIND,
    super::curves::KIND,
    pareto::KIND,
];
