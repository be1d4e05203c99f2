//! The interval of a difference by resampling what was sampled: seeds, and within each the test images (Davison and Hinkley 1997,
//! §3.8). Categories stay: they were chosen.

use rand::Rng;
use rayon::prelude::*;

use crate::data::stream;

/// Resamples.
const RESAMPLES: u64 = 2000;

/// What two variants measured in one category, image by image, so that images can be drawn anew.
pub trait Images: Sync {
    /// Indices of the defective and of the normal test images.
    fn classes(&self) -> (&[usize], &[usize]);
    /// Seeds that both variants have.
    fn seeds(&self) -> usize;
    /// First minus second variant of one seed on these defective and normal images; none where undefined.
    fn difference(&self, seed: usize, defective: &[usize], normal: &[usize]) -> Option<f64>;
}

/// A difference with its 95 % percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The difference as measured.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p-value: twice the smaller share of resamples on one side of 0.
    pub p: f64,
}

/// The mean difference over categories and seeds; none where a category is absent or lacks a class. The same input gives the same
/// numbers. Categories are taken one after another, so that their histograms need not lie in memory together.
pub fn hierarchical<I: Images>(categories: impl Iterator<Item = Option<I>>) -> Option<Bootstrap> {
    let (mut mean, mut sums, mut count) = (0.0, vec![0.0; RESAMPLES as usize], 0);
    for images in categories {
        let images = images?;
        mean += measured(&images)?;
        let drawn: Vec<f64> =
            (0..RESAMPLES).into_par_iter().map(|number| resample(&images, count, number)).collect::<Option<_>>()?;
        sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    sums.iter_mut().for_each(|sum| *sum /= count as f64);
    sums.sort_by(f64::total_cmp);
    let at = |share: f64| sums[(share * (sums.len() - 1) as f64).round() as usize];
    let side = |below: bool| {
        let beyond = sums.iter().filter(|value| if below { **value <= 0.0 } else { **value >= 0.0 }).count();
        (1 + beyond) as f64 / (1 + sums.len()) as f64
    };
    let p = (2.0 * side(true).min(side(false))).min(1.0);
    Some(Bootstrap { mean: mean / count as f64, low: at(0.025), high: at(0.975), p })
}

/// The mean over seeds on the images as they are.
fn measured(images: &impl Images) -> Option<f64> {
    let (defective, normal) = images.classes();
    if defective.is_empty() || normal.is_empty() || images.seeds() == 0 {
        return None;
    }
    let sum: f64 = (0..images.seeds()).map(|seed| images.difference(seed, defective, normal)).sum::<Option<f64>>()?;
    Some(sum / images.seeds() as f64)
}

/// One resample: so many seeds with replacement, and new images for each.
fn resample(images: &impl Images, category: u64, number: u64) -> Option<f64> {
    let mut random = stream(0, "bootstrap", number, category);
    let mut below = |bound: usize| (random.next_u64() % bound as u64) as usize;
    let (defective, normal) = images.classes();
    let mut sum = 0.0;
    for _ in 0..images.seeds() {
        let seed = below(images.seeds());
        // Defective and normal images apart: a test set's shares are chosen, too.
        let mut again = |class: &[usize]| class.iter().map(|_| class[below(class.len())]).collect::<Vec<usize>>();
        let (defective, normal) = (again(defective), again(normal));
        sum += images.difference(seed, &defective, &normal)?;
    }
    Some(sum / images.seeds() as f64)
}
