//! Published results and image counts, each with its source.

mod counts;
mod results;

pub use counts::{Counts, layout_of_categories, published_counts};
pub use results::{PublishedError, PublishedResult, published, published_names};
