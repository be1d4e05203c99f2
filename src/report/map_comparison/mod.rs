//! Two variants side by side, image by image: their maps, their scores, and their differences by seed and category.

mod figures;
mod images;
mod pair;
mod sliders;
mod style;

pub use pair::{ComparedPair, JobsOfRuns};
pub(super) use sliders::sections;
