//! From rows and artifacts to a page that says which variant is better, by how much, at what cost, and how sure that is.

mod agreement;
mod axes;
mod bars;
mod baselines;
mod comparison;
mod costs;
mod curves;
mod difference;
mod effects;
mod effects_block;
mod error;
mod figure;
mod findings;
mod grouping;
mod guidance;
mod heat;
mod learning;
mod legend;
mod overlay;
mod page;
mod pictures;
mod protocol;
mod published;
mod rank_test;
mod resampled;
mod rows;
mod selected;
mod side;
mod statistics;
mod style;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod verdict;
mod write;

pub use baselines::{Published, published, published_names};
pub use effects::{AxisEffect, Effects, LevelEffect, PairEffect};
pub use error::ReportError;
pub use findings::{Findings, findings};
pub use grouping::Ranking;
pub use overlay::{brightest, overlay};
pub use rank_test::{RankTest, rank_tests};
pub use rows::Rows;
pub use side::Side;
pub use statistics::{
    Bootstrap, Delong, Factor, Fanova, Friedman, ImageScores, Images, PairedT, PixelCounts, PixelMetric, Share,
    Summary, delong, fanova, friedman, hierarchical, holm, p_below, paired_t, seeds_needed, spearman, summary,
    wilcoxon,
};
pub use verdict::{Incomparable, Verdict, verdicts};
pub(crate) use write::put;
pub use write::write;
