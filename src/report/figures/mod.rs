//! The figures of a page, one kind per file.

pub(super) mod axis;
mod contour;
mod dots;
mod effect_rows;
mod forest;
mod heat_map;
mod history;
mod importance;
mod kind;
pub(super) mod labels;
mod learning;
pub(super) mod legend;
pub(super) mod palette;
pub(super) mod panels;
mod parallel;
mod pareto;
pub(super) mod plot;
pub(super) mod range;
mod ranks;
mod representative;
mod seeds;
mod selection;
mod setting;
mod shapes;
mod slices;
mod smooth;
mod stability;
#[cfg(test)]
mod tests;
mod trial_means;

pub(super) use kind::{FigureChapter, FigureKind, FigureSource, Figures};

/// All kinds of figures, in their order within a chapter.
const KINDS: [FigureKind; 17] = [
    forest::VARIANTS,
    heat_map::FIRST,
    ranks::KIND,
    seeds::KIND,
    heat_map::OTHERS,
    importance::KIND,
    slices::KIND,
    forest::LEVELS,
    contour::KIND,
    parallel::KIND,
    history::KIND,
    shapes::KIND,
    learning::KIND,
    selection::KIND,
    stability::KIND,
    super::curves::KIND,
    pareto::KIND,
];
