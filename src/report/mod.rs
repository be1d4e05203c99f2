//! From rows and artifacts to a page that says which variant is better, by how much, at what cost, and how sure that is.

mod agreement;
mod axes;
mod baselines;
mod best;
mod chapters;
mod comparison;
mod comparison_page;
mod costs;
mod curves;
mod difference;
mod effect_tables;
mod effects;
mod error;
mod export;
mod figure;
mod figures;
mod findings;
mod frame;
mod grouping;
mod guidance;
mod heat;
mod image_draws;
mod incomparable;
mod markdown;
mod overlay;
mod page;
mod paired_test;
mod pictures;
mod protocol;
mod published;
mod rank_test;
mod read;
mod recipe;
mod remake;
mod reproduce;
mod rows;
mod script;
mod section;
mod shell;
mod side;
mod statistics;
mod style;
mod summary;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod verdict;
mod words;
mod write;

pub use baselines::{Published, published, published_names};
pub use comparison_page::comparison_page;
pub use effects::{AxisEffect, Effects, LevelEffect, PairEffect};
pub use error::ReportError;
pub use export::{DocumentFormat, Shape, document, export};
pub use findings::{Findings, findings};
pub use frame::DataFormat;
pub use grouping::Ranking;
pub use incomparable::Incomparable;
pub use overlay::{brightest, overlay};
pub use rank_test::{RankTest, rank_tests};
pub use read::read;
pub use remake::{Remade, remake};
pub use rows::Rows;
pub use side::Side;
pub use statistics::{
    Chance, Delong, Draws, Estimate, Factor, Fanova, Friedman, ImageScores, ImageVariance, Images, PixelCounts,
    PixelMetric, Share, Summary, Undrawn, delong, fanova, friedman, holm, image_covariance, p_below,
    paired_differences, shares_by_chance, spearman, summary, wilcoxon,
};
pub use text::p_value;
pub use verdict::{Verdict, by_trial, verdicts};
pub use write::{Step, Written, look, write};
