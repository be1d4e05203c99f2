//! Images on disk or drawn by didact: layouts, decoding, masks, splits.

mod settings;

pub use settings::{CategorySelection, DataSettings, Layout, SyntheticSettings};
