//! Variance that the test images, which all seeds share, add to a difference; computed from image scores and pixel histograms.

use super::difference::{Differences, Pairs};
use super::pixel_counts::PixelCounts;
use super::side::{Side, twins};
use crate::evaluate::PixelHistograms;
use crate::evaluate::metrics::{Histograms, Metric, Resampling};
use crate::statistics::{Draws, ImageScores, ImageVariance, Images, ResamplingError, image_covariance};
use crate::store::intact;

/// Why the images cannot be resampled, so that a test holds for these images only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithoutImages {
    /// The images of a category do not allow resampling.
    #[error("{category}: {why}")]
    ResamplingError {
        /// Name of the category.
        category: String,
        /// What the images lack.
        why: ResamplingError,
    },
    /// A run's artifact is missing or damaged.
    #[error("{category}, seed {seed}: the pixel histograms are missing or damaged")]
    Histograms {
        /// Category of the run.
        category: String,
        /// Seed of the run.
        seed: i64,
    },
    /// The metric cannot be computed on resampled images.
    #[error("{0}")]
    Metric(&'static str),
}

/// Computes the image variance of the mean of `one` minus `other` in a metric.
pub(crate) fn image_variance(
    metric: Metric,
    one: &Side,
    other: &Side,
    differences: &Differences<'_>,
    draws: Draws,
) -> Result<ImageVariance, WithoutImages> {
    match metric.resampling() {
        Resampling::ImageRanks => {
            let images = |category: &str, pairs: &Seeds| image_scores(one, other, category, pairs);
            of_categories(&differences.categories, draws, images)
        }
        Resampling::Histograms(metric) => {
            let images = |category: &str, pairs: &Seeds| pixel_counts(metric, one, other, category, pairs);
            of_categories(&differences.categories, draws, images)
        }
        Resampling::Unavailable(why) => Err(WithoutImages::Metric(why)),
    }
}

/// Processes one category after another, so that memory holds the histograms of one category only.
fn of_categories<I: Images>(
    categories: &[Pairs<'_>],
    draws: Draws,
    images: impl Fn(&str, &Seeds) -> Result<I, WithoutImages>,
) -> Result<ImageVariance, WithoutImages> {
    let of_category = |(number, (category, pairs)): (u64, &Pairs<'_>)| {
        image_covariance(&images(category, pairs)?, number, draws).map_err(undrawn(category))
    };
    let covariances: Vec<ImageVariance> = (0..).zip(categories).map(of_category).collect::<Result<_, _>>()?;
    Ok(ImageVariance::of_mean(&covariances))
}

/// Pairs: seed, value, the other side's value.
type Seeds = [(i64, f64, f64)];

fn undrawn(category: &str) -> impl Fn(ResamplingError) -> WithoutImages {
    move |why| WithoutImages::ResamplingError { category: category.to_owned(), why }
}

/// Returns the images of a run with their labels, in the order of its scores.
fn images<'s>(side: &'s Side, category: &str, seed: i64) -> Option<Vec<(&'s str, bool)>> {
    let run = side.run(category, seed)?;
    Some(run.scores.iter().map(|(image, label, _)| (image.as_str(), *label)).collect())
}

fn image_scores(one: &Side, other: &Side, category: &str, pairs: &Seeds) -> Result<ImageScores, WithoutImages> {
    let first = pairs.first().and_then(|(seed, ..)| images(one, category, *seed));
    let of_seed = |(seed, ..): &(i64, f64, f64)| {
        let same = images(one, category, *seed) == first;
        twins(one, other, category, *seed).filter(|_| same).ok_or(ResamplingError::OtherImages)
    };
    let twins: Vec<_> = pairs.iter().map(of_seed).collect::<Result<_, _>>().map_err(undrawn(category))?;
    let labels = twins.first().map(|(labels, ..)| labels.clone()).unwrap_or_default();
    let scores: Vec<_> = twins.into_iter().map(|(_, ours, theirs)| (ours, theirs)).collect();
    ImageScores::new(&labels, &scores).map_err(undrawn(category))
}

fn pixel_counts(
    metric: &'static Histograms,
    one: &Side,
    other: &Side,
    category: &str,
    pairs: &Seeds,
) -> Result<PixelCounts, WithoutImages> {
    let read = |side: &Side, seed: i64| {
        let folder = side.run(category, seed)?.evaluation.as_ref()?;
        intact(folder, &[PixelHistograms::FILE]).ok()?;
        PixelHistograms::read(folder).ok()
    };
    let first = pairs.first().and_then(|(seed, ..)| images(one, category, *seed));
    let of_seed = |(seed, ..): &(i64, f64, f64)| {
        // Both sides must list the same image names in the same order.
        if images(one, category, *seed) != first || images(other, category, *seed) != first {
            return Err(undrawn(category)(ResamplingError::OtherImages));
        }
        let missing = || WithoutImages::Histograms { category: category.to_owned(), seed: *seed };
        Ok((read(one, *seed).ok_or_else(missing)?, read(other, *seed).ok_or_else(missing)?))
    };
    let histograms = pairs.iter().map(of_seed).collect::<Result<_, _>>()?;
    PixelCounts::new(metric, histograms).map_err(undrawn(category))
}
