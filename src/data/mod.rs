//! Images on disk or drawn by didact: layouts, decoding, masks, splits, caches.

mod ad2_stand_ins;
mod check;
mod dataset;
mod decode;
mod dice;
mod drawn_set;
mod error;
mod export;
mod feature_set;
mod findings;
mod held_out;
mod image;
mod jpeg;
mod layout;
mod mask;
mod mask_file;
#[cfg(test)]
mod pillow;
mod pixel_budget;
mod png;
mod pseudo;
mod random;
pub(crate) mod regular;
mod resize;
mod sample;
mod saturation;
mod select;
mod settings;
mod split;
mod synthetic;
mod webp;

pub use self::image::{Image, Picture, normalise};
pub use ad2_stand_ins::AD2_OBJECTS;
pub use check::{CategoryReport, DataReport, PixelSize, SixteenBitImages, check};
pub use dataset::{Category, Dataset, Digests};
pub(crate) use decode::image_size;
pub use drawn_set::StandIn;
pub use error::DataError;
pub use export::{write_ad2_stand_ins, write_stand_ins, write_synthetic};
pub use feature_set::{FeatureHeader, FeatureSet, FeatureSetError, FeatureWriter, LevelShape};
pub use layout::{Layout, Unused, UnusedReason};
pub(crate) use layout::{has_signs, images_in, is_image, shortest};
pub use mask::Mask;
pub use mask_file::{read_masks, write_masks};
pub(crate) use pixel_budget::reserve_pixels;
pub use pseudo::{Painted, Painter, paint};
pub use random::{below, normal_pair, stream};
pub use sample::{ImageSource, Sample};
pub use saturation::{SaturatedDefect, Saturation};
pub use settings::{
    CategorySelection, DataSettings, Exif, FolderSettings, Grouping, HeldOutChoice, Reading, SyntheticSettings,
    Unmasked,
};
pub use split::{HeldOut, Split, SplitRule, shuffle};
pub use synthetic::{Drawing, Drawn};
