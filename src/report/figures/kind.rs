//! Defines a kind of figure, and collects the figures of one protocol.

use rayon::prelude::*;

use super::KINDS;
use crate::analysis::{Costs, Effects, Groups, Rows, Side, Verdict};
use crate::report::error::ReportError;
use crate::report::figure::Figure;
use crate::store::Artifacts;

/// The chapters that have figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum FigureChapter {
    /// Differences from ST-FPM.
    Effect,
    /// Every seed by category, and differences by category in the other metrics.
    Seeds,
    /// Which settings the results depend on.
    Why,
    /// Levels, pairs and trials of the search.
    Settings,
    /// Drawings of the auto-encoders.
    Networks,
    Learning,
    Curves,
    Cost,
}

/// Data that figures are drawn from: the numbers of one protocol.
#[derive(Clone, Copy)]
pub(in crate::report) struct FigureSource<'a> {
    pub rows: &'a Rows,
    pub groups: &'a Groups<'a>,
    pub artifacts: &'a Artifacts,
    /// The finished runs of each variant, in the order of the variants.
    pub sides: &'a [Side],
    /// Costs of the variants.
    pub costs: &'a [Costs],
    pub comparisons: &'a [Verdict],
    pub effects: &'a [Effects],
    /// Start of every figure name.
    pub prefix: &'a str,
}

/// A kind of figure.
pub(in crate::report) struct FigureKind {
    /// The chapter that shows it.
    pub chapter: FigureChapter,
    /// Draws as many figures as the numbers allow.
    pub draw: fn(&FigureSource<'_>) -> Result<Vec<Figure>, ReportError>,
}

/// The figures of one protocol, each with its chapter.
pub(in crate::report) struct Figures(Vec<(FigureChapter, Vec<Figure>)>);

impl Figures {
    /// Draws every kind of figure, several kinds at a time.
    pub(in crate::report) fn draw(source: &FigureSource<'_>) -> Result<Self, ReportError> {
        let drawn = KINDS.par_iter().map(|kind| Ok((kind.chapter, (kind.draw)(source)?)));
        drawn.collect::<Result<_, ReportError>>().map(Self)
    }

    /// Returns the figures of a chapter.
    pub(in crate::report) fn of(&self, chapter: FigureChapter) -> Vec<&Figure> {
        self.0.iter().filter(|(known, _)| *known == chapter).flat_map(|(_, figures)| figures).collect()
    }

    /// Returns all figures.
    pub(in crate::report) fn all(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter().flat_map(|(_, figures)| figures)
    }
}
