//! Variance that the test images, which all seeds share, add to a difference; computed from image scores and pixel histograms.

use super::difference::{CategoryPairs, Differences};
use super::pixel_counts::PixelCounts;
use super::side::{Side, paired_scores};
use crate::evaluate::PixelHistograms;
use crate::evaluate::metrics::{Histograms, Metric, Resampling};
use crate::stages::StageKind;
use crate::statistics::{ImageScores, ImageVariance, Images, Resamples, ResamplingError, image_covariance};

/// Why the images cannot be resampled, so that a test holds for these images only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResampled {
    /// The images of a category do not allow resampling.
    #[error("{category}: {why}")]
    Images {
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
    resamples: Resamples,
) -> Result<ImageVariance, NotResampled> {
    match metric.resampling() {
        Resampling::ImageRanks => {
            let images = |category: &str, pairs: &SeedPairs| image_scores(one, other, category, pairs);
            of_categories(&differences.categories, resamples, images)
        }
        Resampling::Histograms(metric) => {
            let images = |category: &str, pairs: &SeedPairs| pixel_counts(metric, one, other, category, pairs);
            of_categories(&differences.categories, resamples, images)
        }
        Resampling::Unavailable(why) => Err(NotResampled::Metric(why)),
    }
}

/// Processes one category after another, so that memory holds the histograms of one category only.
fn of_categories<I: Images>(
    categories: &[CategoryPairs<'_>],
    resamples: Resamples,
    images: impl Fn(&str, &SeedPairs) -> Result<I, NotResampled>,
) -> Result<ImageVariance, NotResampled> {
    let of_category = |(number, (category, pairs)): (u64, &CategoryPairs<'_>)| {
        image_covariance(&images(category, pairs)?, number, resamples).map_err(in_category(category))
    };
    let covariances: Vec<ImageVariance> = (0..).zip(categories).map(of_category).collect::<Result<_, _>>()?;
    Ok(ImageVariance::of_mean(&covariances))
}

/// Pairs of one category: seed, value, the other side's value.
type SeedPairs = [(i64, f64, f64)];

/// Returns a function that adds the category to an error.
fn in_category(category: &str) -> impl Fn(ResamplingError) -> NotResampled {
    move |why| NotResampled::Images { category: category.to_owned(), why }
}

/// Returns the images of a run with their labels, in the order of its scores.
fn images<'s>(side: &'s Side, category: &str, seed: i64) -> Option<Vec<(&'s str, bool)>> {
    let run = side.run(category, seed)?;
    Some(run.scores.iter().map(|(image, label, _)| (image.as_str(), *label)).collect())
}

fn image_scores(one: &Side, other: &Side, category: &str, pairs: &SeedPairs) -> Result<ImageScores, NotResampled> {
    let first = pairs.first().and_then(|(seed, ..)| images(one, category, *seed));
    let of_seed = |(seed, ..): &(i64, f64, f64)| {
        let same = images(one, category, *seed) == first;
        paired_scores(one, other, category, *seed).filter(|_| same).ok_or(ResamplingError::DifferentImages)
    };
    let paired: Vec<_> = pairs.iter().map(of_seed).collect::<Result<_, _>>().map_err(in_category(category))?;
    let labels = paired.first().map(|(labels, ..)| labels.clone()).unwrap_or_default();
    let scores: Vec<_> = paired.into_iter().map(|(_, ours, theirs)| (ours, theirs)).collect();
    ImageScores::new(&labels, &scores).map_err(in_category(category))
}

fn pixel_counts(
    metric: &'static Histograms,
    one: &Side,
    other: &Side,
    category: &str,
    pairs: &SeedPairs,
) -> Result<PixelCounts, NotResampled> {
    let read = |side: &Side, seed: i64| {
        let (artifacts, key) = side.run(category, seed)?.evaluation.as_ref()?;
        let folder = artifacts.verified_folder(StageKind::Evaluate, key, &[PixelHistograms::FILE]).ok()?;
        PixelHistograms::read(&folder).ok()
    };
    let first = pairs.first().and_then(|(seed, ..)| images(one, category, *seed));
    let of_seed = |(seed, ..): &(i64, f64, f64)| {
        // Both sides must list the same image names in the same order.
        if images(one, category, *seed) != first || images(other, category, *seed) != first {
            return Err(in_category(category)(ResamplingError::DifferentImages));
        }
        let missing = || NotResampled::Histograms { category: category.to_owned(), seed: *seed };
        Ok((read(one, *seed).ok_or_else(missing)?, read(other, *seed).ok_or_else(missing)?))
    };
    let histograms = pairs.iter().map(of_seed).collect::<Result<_, _>>()?;
    PixelCounts::new(metric, histograms).map_err(in_category(category))
}
