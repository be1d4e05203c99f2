//! Published results and image counts, each with its source.

mod counts;
mod results;

pub use counts::{Counts, published_counts, publisher};
pub use results::{Published, PublishedError, published, published_names};
