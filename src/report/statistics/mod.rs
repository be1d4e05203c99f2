//! What differences between runs are worth: intervals, tests, and how many seeds would settle them.

mod bootstrap;
mod complete;
mod delong;
mod fanova;
mod friedman;
mod holm;
mod image_scores;
mod paired;
mod pixel_counts;
mod ranks;
mod seeds;
mod simpson;
mod wilcoxon;

pub use bootstrap::{Bootstrap, Images, hierarchical};
pub use complete::complete_means;
pub use delong::{Delong, delong};
pub use fanova::{Factor, Fanova, Share, fanova};
pub use friedman::{Friedman, friedman};
pub use holm::holm;
pub use image_scores::ImageScores;
pub use paired::{PairedT, Summary, paired_t, summary};
pub use pixel_counts::{PixelCounts, PixelMetric};
pub use ranks::spearman;
pub use seeds::seeds_needed;
pub use wilcoxon::{p_below, wilcoxon};
