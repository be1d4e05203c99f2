//! What differences between runs are worth: intervals, tests, and how many seeds would settle them.

mod bootstrap;
mod delong;
mod friedman;
mod holm;
mod paired;
mod ranks;
mod seeds;
mod simpson;
mod wilcoxon;

pub use bootstrap::{Bootstrap, CategoryScores, image_auroc_difference};
pub use delong::{Delong, delong};
pub use friedman::{Friedman, friedman};
pub use holm::holm;
pub use paired::{PairedT, Summary, paired_t, summary};
pub use ranks::spearman;
pub use seeds::seeds_needed;
pub use wilcoxon::{p_below, wilcoxon};
