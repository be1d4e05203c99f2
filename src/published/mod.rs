//! Published results and image counts, each with its source.

mod counts;
mod results;

pub use counts::{Counts, counted_categories, counted_data_sets, layout_of_categories, published_counts};
pub use results::{PublishedError, PublishedResult, published, published_names};
