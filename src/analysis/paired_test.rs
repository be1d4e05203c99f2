//! Interval and p-value of a paired difference; the number of seeds decides the method.

use std::fmt;

use serde::{Serialize, Serializer};

use super::difference::Differences;
use super::image_draws::{NotResampled, image_variance};
use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::{Estimate, FEWEST_SEEDS, ImageVariance, Resamples};

/// Number of seeds from which a claim also covers other test images. With fewer seeds it covers other seeds on these images.
pub const IMAGE_SEEDS: usize = 8;

/// What an interval and a p-value generalise to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Other seeds and other test images of the same kind.
    Images,
    /// Other seeds on these test images; from [`IMAGE_SEEDS`] seeds on, with the reason why the images are not covered.
    Seeds(Option<NotResampled>),
    /// Nothing but these runs: there are fewer than [`FEWEST_SEEDS`] seeds.
    FewSeeds,
    /// Nothing but these runs: every seed has the same difference.
    NoSpread,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Images => f.write_str("Student's t over seeds and test images"),
            Self::Seeds(None) => {
                write!(f, "Student's t over seeds, on these images (fewer than {IMAGE_SEEDS} seeds)")
            }
            Self::Seeds(Some(why)) => write!(f, "Student's t over seeds, on these images ({why})"),
            Self::FewSeeds => write!(f, "none: fewer than {FEWEST_SEEDS} seeds"),
            Self::NoSpread => f.write_str("none: every seed has the same difference"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The result of a paired test.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PairedTest {
    /// The estimate behind the test; `None` if nothing is claimed.
    pub estimate: Option<Estimate>,
    /// What the result generalises to.
    pub scope: Scope,
}

/// Tests `one` minus `other` in a metric.
pub(crate) fn paired_test(metric: Metric, one: &Side, other: &Side, differences: &Differences<'_>) -> PairedTest {
    let seeds = differences.by_seed.len();
    if seeds < FEWEST_SEEDS {
        return PairedTest { estimate: None, scope: Scope::FewSeeds };
    }
    let (images, scope) = match seeds < IMAGE_SEEDS {
        true => (ImageVariance::NONE, Scope::Seeds(None)),
        false => match image_variance(metric, one, other, differences, Resamples::Verdict) {
            Ok(images) => (images, Scope::Images),
            Err(why) => (ImageVariance::NONE, Scope::Seeds(Some(why))),
        },
    };
    match Estimate::of(&differences.by_seed, differences.scale(), images, metric.range.of_differences()) {
        None => PairedTest { estimate: None, scope: Scope::NoSpread },
        estimate => PairedTest { estimate, scope },
    }
}

/// Computes the estimate of a test with more seeds, which includes the images from [`IMAGE_SEEDS`] seeds on. Returns `None` if the images
/// cannot be resampled.
pub(crate) fn with_images(metric: Metric, one: &Side, other: &Side, differences: &Differences<'_>) -> Option<Estimate> {
    let images = image_variance(metric, one, other, differences, Resamples::Plan).ok()?;
    Estimate::of(&differences.by_seed, differences.scale(), images, metric.range.of_differences())
}

impl PairedTest {
    /// Returns the two-sided p-value of "no difference", not adjusted.
    pub(crate) fn p(&self) -> Option<f64> {
        Some(self.estimate?.p())
    }
}
