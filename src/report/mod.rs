//! From rows and artifacts to a page that says which variant is better, by how much, at what cost, and how sure that is.

mod agreement;
mod bars;
mod baselines;
mod comparison;
mod costs;
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
mod write;

pub use baselines::{Published, published, published_names};
pub use error::ReportError;
pub use rows::Rows;
pub use statistics::{PairedT, Summary, holm, paired_t, spearman, summary};
pub use write::write;
