//! Which trials are not worth going on with.

mod asha;
mod course;
mod median;
mod wilcoxon;

pub use course::{Standing, TrialCourse, prune};
