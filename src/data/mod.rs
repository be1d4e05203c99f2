//! Images on disk or drawn by didact: layouts, decoding, masks, splits, caches.

mod dataset;
mod dice;
mod error;
mod export;
mod feature_set;
mod image;
mod mask;
mod mask_file;
mod mvtec;
mod pseudo;
mod random;
mod resize;
mod sample;
mod settings;
mod split;
mod synthetic;

pub use self::image::{Image, Picture, normalise};
pub use dataset::{Category, Dataset};
pub use error::DataError;
pub use export::{CategoryReport, DataReport, check, write_synthetic};
pub use feature_set::{FeatureHeader, FeatureSet, FeatureSetError, FeatureWriter, LevelShape};
pub use mask::Mask;
pub use mask_file::{read_masks, write_masks};
pub use pseudo::{Painted, Painter, paint};
pub use random::{normal_pair, stream};
pub use sample::{ImageSource, Sample};
pub use settings::{CategorySelection, DataSettings, Layout, SyntheticSettings};
pub use split::{Split, shuffle};
pub use synthetic::{Drawing, Drawn};
