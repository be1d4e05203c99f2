//! From rows and artifacts to a page that says which variant is better, by how much, at what cost, and how sure that is.

mod agreement;
mod bars;
mod baselines;
mod comparison;
mod costs;
mod difference;
mod error;
mod figure;
mod grouping;
mod guidance;
mod heat;
mod learning;
mod page;
mod pictures;
mod protocol;
mod published;
mod rows;
mod statistics;
mod style;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod verdict;
mod write;

pub use baselines::{Published, published, published_names};
pub use error::ReportError;
pub use rows::Rows;
pub use statistics::{
    Bootstrap, CategoryScores, Delong, Friedman, PairedT, Summary, delong, friedman, holm, image_auroc_difference,
    p_below, paired_t, seeds_needed, spearman, summary, wilcoxon,
};
pub use verdict::{Incomparable, Side, Verdict, verdicts};
pub use write::write;
