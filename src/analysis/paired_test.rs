//! Interval and p-value of a paired difference, by what its seeds allow.

use std::fmt;

use serde::{Serialize, Serializer};

use super::difference::Differences;
use super::image_draws::{WithoutImages, image_variance};
use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::{Draws, Estimate, ImageVariance};

/// Seeds below which nothing is claimed: so few may all lie on one side by chance.
pub const FEWEST_SEEDS: usize = 5;
/// Seeds from which a claim is of other test images, too; with fewer it is of other seeds on these images.
pub const IMAGE_SEEDS: usize = 8;

/// What interval and p-value speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Other seeds and other test images of the same kind.
    Images,
    /// Other seeds on these test images; from [`IMAGE_SEEDS`] seeds on with the reason why no more.
    Seeds(Option<WithoutImages>),
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

/// What a paired test says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PairedTest {
    /// What it was made of; none where nothing is claimed.
    pub estimate: Option<Estimate>,
    /// What it speaks of.
    pub scope: Scope,
}

/// The test of `one` minus `other` in a metric.
pub(crate) fn paired_test(metric: Metric, one: &Side, other: &Side, differences: &Differences<'_>) -> PairedTest {
    let seeds = differences.by_seed.len();
    if seeds < FEWEST_SEEDS {
        return PairedTest { estimate: None, scope: Scope::FewSeeds };
    }
    let (images, scope) = match seeds < IMAGE_SEEDS {
        true => (ImageVariance::NONE, Scope::Seeds(None)),
        false => match image_variance(metric, one, other, differences, Draws::Verdict) {
            Ok(images) => (images, Scope::Images),
            Err(why) => (ImageVariance::NONE, Scope::Seeds(Some(why))),
        },
    };
    match Estimate::of(&differences.by_seed, differences.scale(), images) {
        None => PairedTest { estimate: None, scope: Scope::NoSpread },
        estimate => PairedTest { estimate, scope },
    }
}

/// What the test of more seeds would be made of: from [`IMAGE_SEEDS`] on they bring in the images. None where these cannot be drawn.
pub(crate) fn with_images(metric: Metric, one: &Side, other: &Side, differences: &Differences<'_>) -> Option<Estimate> {
    let images = image_variance(metric, one, other, differences, Draws::Plan).ok()?;
    Estimate::of(&differences.by_seed, differences.scale(), images)
}

impl PairedTest {
    /// Two-sided p-value of "no difference", not adjusted.
    pub(crate) fn p(&self) -> Option<f64> {
        Some(self.estimate?.p())
    }
}
