//! The interval of a difference from what was sampled: seeds, and the test images of each category.

use super::difference::Pairs;
use super::side::{Side, twins};
use super::statistics::{Bootstrap, ImageScores, PixelCounts, PixelMetric, hierarchical};
use crate::evaluate::PixelHistograms;
use crate::store::intact;

/// The bootstrap of `one` minus `other` in a metric; none where a class, a score or a histogram is missing.
pub(super) fn resampled(metric: &str, one: &Side, other: &Side, categories: &[Pairs<'_>]) -> Option<Bootstrap> {
    let pixel = |metric| {
        let counts = categories.iter().map(|(category, pairs)| pixel_counts(metric, one, other, category, pairs));
        hierarchical(counts)
    };
    match metric {
        "image_auroc" => {
            hierarchical(categories.iter().map(|(category, pairs)| image_scores(one, other, category, pairs)))
        }
        "pixel_auroc" => pixel(PixelMetric::Auroc),
        "aupro" => pixel(PixelMetric::Aupro),
        _ => None,
    }
}

/// Seed, value, the other's value.
type Seeds = [(i64, f64, f64)];

fn image_scores(one: &Side, other: &Side, category: &str, pairs: &Seeds) -> Option<ImageScores> {
    let mut labels = Vec::new();
    let mut seeds = Vec::new();
    for (seed, ..) in pairs {
        let (of_seed, ours, theirs) = twins(one, other, category, *seed)?;
        labels = of_seed;
        seeds.push((ours, theirs));
    }
    ImageScores::new(&labels, &seeds)
}

fn pixel_counts(metric: PixelMetric, one: &Side, other: &Side, category: &str, pairs: &Seeds) -> Option<PixelCounts> {
    let read = |side: &Side, seed: i64| {
        let folder = side.run(category, seed)?.evaluation.as_ref()?;
        intact(folder, &["histograms.bin"]).ok()?;
        PixelHistograms::read(folder).ok()
    };
    let seeds = pairs.iter().map(|(seed, ..)| {
        // The same images in the same order: both list them by name.
        let same = |side: &Side| {
            side.run(category, *seed).map(|run| run.scores.iter().map(|(i, ..)| i.clone()).collect::<Vec<_>>())
        };
        (same(one) == same(other)).then_some(())?;
        Some((read(one, *seed)?, read(other, *seed)?))
    });
    PixelCounts::new(metric, seeds.collect::<Option<Vec<_>>>()?)
}
