//! What the test images that all seeds share add to the variance of a difference, from image scores and pixel histograms.

use super::difference::{Differences, Pairs};
use super::side::{Side, twins};
use super::statistics::{ImageScores, ImageVariance, Images, PixelCounts, PixelMetric, Undrawn, image_covariance};
use crate::evaluate::PixelHistograms;
use crate::store::intact;

/// Why the images cannot be drawn anew, so that a test speaks of these images alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithoutImages {
    /// A category's images do not allow it.
    #[error("{category}: {why}")]
    Undrawn {
        /// The category.
        category: String,
        /// What they lack.
        why: Undrawn,
    },
    /// A run's artifact is not there, or damaged.
    #[error("{category}, seed {seed}: the pixel histograms are missing or damaged")]
    Histograms {
        /// The run's category.
        category: String,
        /// The run's seed.
        seed: i64,
    },
    /// Numbers of single images are not kept.
    #[error("this metric has no numbers of single images")]
    Metric,
}

/// The variance of the mean of `one` minus `other` in a metric.
pub(super) fn image_variance(
    metric: &str,
    one: &Side,
    other: &Side,
    differences: &Differences<'_>,
) -> Result<ImageVariance, WithoutImages> {
    let pixel = |metric| {
        of_categories(&differences.categories, |category, pairs| pixel_counts(metric, one, other, category, pairs))
    };
    match metric {
        "image_auroc" => {
            of_categories(&differences.categories, |category, pairs| image_scores(one, other, category, pairs))
        }
        "pixel_auroc" => pixel(PixelMetric::Auroc),
        "aupro" => pixel(PixelMetric::Aupro),
        _ => Err(WithoutImages::Metric),
    }
}

/// One category after another, so that their histograms need not lie in memory together.
fn of_categories<I: Images>(
    categories: &[Pairs<'_>],
    images: impl Fn(&str, &Seeds) -> Result<I, WithoutImages>,
) -> Result<ImageVariance, WithoutImages> {
    let of_category = |(number, (category, pairs)): (u64, &Pairs<'_>)| {
        image_covariance(&images(category, pairs)?, number).map_err(undrawn(category))
    };
    let covariances: Vec<ImageVariance> = (0..).zip(categories).map(of_category).collect::<Result<_, _>>()?;
    Ok(ImageVariance::of_mean(&covariances))
}

/// Seed, value, the other's value.
type Seeds = [(i64, f64, f64)];

fn undrawn(category: &str) -> impl Fn(Undrawn) -> WithoutImages {
    move |why| WithoutImages::Undrawn { category: category.to_owned(), why }
}

fn image_scores(one: &Side, other: &Side, category: &str, pairs: &Seeds) -> Result<ImageScores, WithoutImages> {
    let of_seed = |(seed, ..): &(i64, f64, f64)| twins(one, other, category, *seed);
    let twins: Option<Vec<_>> = pairs.iter().map(of_seed).collect();
    let twins = twins.ok_or_else(|| undrawn(category)(Undrawn::OtherImages))?;
    let labels = twins.first().map(|(labels, ..)| labels.clone()).unwrap_or_default();
    if twins.iter().any(|(of_seed, ..)| *of_seed != labels) {
        return Err(undrawn(category)(Undrawn::OtherImages));
    }
    let scores: Vec<_> = twins.into_iter().map(|(_, ours, theirs)| (ours, theirs)).collect();
    ImageScores::new(&labels, &scores).map_err(undrawn(category))
}

fn pixel_counts(
    metric: PixelMetric,
    one: &Side,
    other: &Side,
    category: &str,
    pairs: &Seeds,
) -> Result<PixelCounts, WithoutImages> {
    let images = |side: &Side, seed: i64| {
        side.run(category, seed).map(|run| run.scores.iter().map(|(image, ..)| image.clone()).collect::<Vec<_>>())
    };
    let read = |side: &Side, seed: i64| {
        let folder = side.run(category, seed)?.evaluation.as_ref()?;
        intact(folder, &["histograms.bin"]).ok()?;
        PixelHistograms::read(folder).ok()
    };
    let first = pairs.first().and_then(|(seed, ..)| images(one, *seed));
    let of_seed = |(seed, ..): &(i64, f64, f64)| {
        // The same images in the same order: all list them by name.
        if images(one, *seed) != first || images(other, *seed) != first {
            return Err(undrawn(category)(Undrawn::OtherImages));
        }
        let missing = || WithoutImages::Histograms { category: category.to_owned(), seed: *seed };
        Ok((read(one, *seed).ok_or_else(missing)?, read(other, *seed).ok_or_else(missing)?))
    };
    let histograms = pairs.iter().map(of_seed).collect::<Result<_, _>>()?;
    PixelCounts::new(metric, histograms).map_err(undrawn(category))
}
