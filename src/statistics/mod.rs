//! Statistics of differences between runs: intervals, tests, and the number of seeds that a decision needs.

mod anytime;
mod complete;
mod crossed;
mod delong;
mod estimate;
mod fanova;
mod friedman;
mod holm;
mod image_scores;
mod power;
mod quartiles;
mod range;
mod ranks;
mod repeated;
mod rounding;
mod simpson;
mod student;
mod summary;
mod wilcoxon;

pub use anytime::{Answer, Decision, Look, Question, SKEWED, skewness};
pub use complete::complete_means;
pub use crossed::{Classes, Images, LANES, Resamples, ResamplingError, Times, image_covariance};
pub use delong::{Delong, delong};
pub use estimate::{Estimate, FEWEST_SEEDS, ImageVariance};
pub use fanova::{ChanceShares, Factor, Fanova, Share, fanova, shares_by_chance};
pub use friedman::{Friedman, friedman};
pub use holm::holm;
pub use image_scores::ImageScores;
pub use quartiles::{Quartiles, quartiles};
pub use range::Range;
pub use ranks::spearman;
pub use repeated::{Repeated, repeated};
pub use rounding::{is_rounding, paired_differences, rounded, scale};
pub use summary::{Summary, pooled_deviation, summary};
pub use wilcoxon::{p_below, wilcoxon};
