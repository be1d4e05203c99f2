//! Images on disk or drawn by didact: layouts, decoding, masks, splits, caches.

mod check;
mod dataset;
mod dice;
mod error;
mod export;
mod feature_set;
mod findings;
mod held_out;
mod image;
mod layout;
mod mask;
mod mask_file;
mod pseudo;
mod published;
mod random;
mod resize;
mod sample;
mod select;
mod settings;
mod split;
mod synthetic;

pub use self::image::{Image, Picture, normalise};
pub use check::{CategoryReport, DataReport, check};
pub use dataset::{Category, Dataset, Digests};
pub use error::DataError;
pub use export::write_synthetic;
pub use feature_set::{FeatureHeader, FeatureSet, FeatureSetError, FeatureWriter, LevelShape};
pub use layout::{Unused, Why};
pub(crate) use layout::{has_signs, is_image, shortest};
pub use mask::Mask;
pub use mask_file::{read_masks, write_masks};
pub use pseudo::{Painted, Painter, paint};
pub use published::{Counts, published_counts};
pub use random::{below, normal_pair, stream};
pub use sample::{ImageSource, Sample};
pub use settings::{
    CategorySelection, DataSettings, FolderSettings, HeldOutChoice, Layout, SyntheticSettings, Unmasked,
};
pub use split::{HeldOut, Split, SplitRule, shuffle};
pub use synthetic::{Drawing, Drawn};
