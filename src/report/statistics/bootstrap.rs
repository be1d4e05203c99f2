//! The interval of a difference by resampling what was sampled: seeds, and within each the test images (Davison and Hinkley 1997,
//! §3.8). Categories stay: they were chosen.

use rand::Rng;
use rayon::prelude::*;

use crate::data::{below, stream};

/// Resamples.
const RESAMPLES: u64 = 2000;

/// Which test images are of which class, by index.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    defective: Vec<usize>,
    normal: Vec<usize>,
}

impl Classes {
    /// From labels, true = defective; none where there is only one class.
    pub fn of(labels: &[bool]) -> Option<Self> {
        let (defective, normal): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&image| labels[image]);
        (!defective.is_empty() && !normal.is_empty()).then_some(Self { defective, normal })
    }

    /// How many defective and how many normal images; as many are drawn.
    pub fn counts(&self) -> (usize, usize) {
        (self.defective.len(), self.normal.len())
    }

    /// Draws images with replacement and tells how often each was drawn. The classes apart: a test set's shares are chosen, too.
    fn draw(&self, random: &mut impl Rng, times: &mut [u32]) {
        times.fill(0);
        for class in [&self.defective, &self.normal] {
            class.iter().for_each(|_| times[class[below(random, class.len())]] += 1);
        }
    }
}

/// What two variants measured in one category, image by image, so that images can be drawn anew.
pub trait Images: Sync {
    /// Its test images.
    fn classes(&self) -> &Classes;
    /// Seeds that both variants have.
    fn seeds(&self) -> usize;
    /// First minus second variant of one seed, each image taken so many times; none where undefined.
    fn difference(&self, seed: usize, times: &[u32]) -> Option<f64>;
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
    let (defective, normal) = images.classes().counts();
    let once = vec![1; defective + normal];
    let sum: f64 = (0..images.seeds()).map(|seed| images.difference(seed, &once)).sum::<Option<f64>>()?;
    (images.seeds() > 0).then(|| sum / images.seeds() as f64)
}

/// One resample: so many seeds with replacement, and new images for each.
fn resample(images: &impl Images, category: u64, number: u64) -> Option<f64> {
    let mut random = stream(0, "bootstrap", number, category);
    let (defective, normal) = images.classes().counts();
    let mut times = vec![0; defective + normal];
    let mut sum = 0.0;
    for _ in 0..images.seeds() {
        let seed = below(&mut random, images.seeds());
        images.classes().draw(&mut random, &mut times);
        sum += images.difference(seed, &times)?;
    }
    Some(sum / images.seeds() as f64)
}
