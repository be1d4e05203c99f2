//! Functional ANOVA: which axes of a search the results depend on.

mod decomposition;
mod tree;
mod variance;

pub use tree::Factor;
pub use variance::{ChanceShares, Fanova, Share, fanova, shares_by_chance};
