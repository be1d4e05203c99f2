//! Images on disk or drawn by didact: layouts, decoding, masks, splits.

mod random;
mod settings;

pub use random::stream;
pub use settings::{CategorySelection, DataSettings, Layout, SyntheticSettings};
