//! Covariance of two seeds due to shared test images, by a bootstrap: each resample draws the images once for all seeds and both
//! variants (Davison and Hinkley 1997, §3). Categories are not resampled: they were chosen, and each has its own images.

use rand::Rng;
use rayon::prelude::*;

use super::estimate::ImageVariance;
use super::summary::variance;
use crate::data::{below, stream};

/// Number of resamples of a category's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resamples {
    /// For a verdict: the covariance has an error of about 3 %.
    Verdict,
    /// For a plan, at a tenth of the cost: an error of about 10 %.
    Plan,
}

impl Resamples {
    fn count(self) -> u64 {
        match self {
            Self::Verdict => 2000,
            Self::Plan => 200,
        }
    }
}

/// Number of images per class that an estimate of their spread needs.
const MIN_CLASS_IMAGES: usize = 2;

/// Why the images of a category cannot be resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResamplingError {
    /// The runs used different test images.
    #[error("the runs used different test images")]
    DifferentImages,
    /// A class has too few images.
    #[error("a class has fewer than {MIN_CLASS_IMAGES} test images")]
    FewImages,
    /// The sums over resampled pixels overflow.
    #[error("the test images have too many pixels")]
    TooManyPixels,
    /// The metric is undefined on some resample.
    #[error("the metric is undefined on some resamples of the test images")]
    Undefined,
}

/// Indices of the test images of each class.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    defective: Vec<usize>,
    normal: Vec<usize>,
}

impl Classes {
    /// Creates the classes from labels; true = defective.
    ///
    /// # Errors
    /// A class has fewer than two images.
    pub fn of(labels: &[bool]) -> Result<Self, ResamplingError> {
        let (defective, normal): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&image| labels[image]);
        match defective.len().min(normal.len()) < MIN_CLASS_IMAGES {
            true => Err(ResamplingError::FewImages),
            false => Ok(Self { defective, normal }),
        }
    }

    /// Returns the numbers of defective and of normal images. A resample has the same numbers.
    pub fn counts(&self) -> (usize, usize) {
        (self.defective.len(), self.normal.len())
    }

    /// Returns the size of the smaller class.
    fn smaller_class(&self) -> f64 {
        self.defective.len().min(self.normal.len()) as f64
    }

    /// Resamples images with replacement, each class separately, because class sizes were chosen. Returns how often each image was drawn
    /// in each resample.
    fn draw(&self, mut resamples: [impl Rng; LANES]) -> Vec<Times> {
        let mut times = vec![[0; LANES]; self.defective.len() + self.normal.len()];
        for (lane, random) in resamples.iter_mut().enumerate() {
            for class in [&self.defective, &self.normal] {
                class.iter().for_each(|_| times[class[below(random, class.len())]][lane] += 1);
            }
        }
        times
    }
}

/// Number of resamples that are evaluated together, because a processor computes several numbers at once. It divides every number of
/// resamples.
pub const LANES: usize = 8;

/// How often one image was drawn in each of [`LANES`] resamples.
pub type Times = [u32; LANES];

/// Measurements of two variants in one category per image, which can be evaluated on a resample.
pub trait Images: Sync {
    /// Returns the test images.
    fn classes(&self) -> &Classes;
    /// Returns the number of seeds that both variants have.
    fn seeds(&self) -> usize;
    /// Returns first minus second variant for one seed in each resample, with each image counted `times` times; `None` if one is undefined.
    fn differences(&self, seed: usize, times: &[Times]) -> Option<[f64; LANES]>;
}

/// Estimates the mean covariance of two seeds' differences over resamples of one category's images. The estimate may be below 0. It is
/// 0 for a single seed. `category` selects the random stream; equal inputs give equal results.
///
/// # Errors
/// [`ResamplingError::Undefined`] if the metric is undefined on some resample.
pub fn image_covariance(
    images: &impl Images,
    category: u64,
    resamples: Resamples,
) -> Result<ImageVariance, ResamplingError> {
    let seeds = images.seeds();
    if seeds < 2 {
        return Ok(ImageVariance::NONE);
    }
    // Returns the differences of every seed in the resamples of one block.
    let draw = |block: u64| -> Option<Vec<[f64; LANES]>> {
        let first = block * LANES as u64;
        let numbers: [u64; LANES] = std::array::from_fn(|lane| first + lane as u64);
        let times = images.classes().draw(numbers.map(|number| stream(0, "bootstrap", number, category)));
        (0..seeds).map(|seed| images.differences(seed, &times)).collect()
    };
    let blocks = 0..resamples.count() / LANES as u64;
    let blocks: Vec<Vec<[f64; LANES]>> =
        blocks.into_par_iter().map(draw).collect::<Option<_>>().ok_or(ResamplingError::Undefined)?;
    let over_draws = |of: &dyn Fn(&[[f64; LANES]], usize) -> f64| {
        let draws: Vec<f64> = blocks.iter().flat_map(|block| (0..LANES).map(move |lane| of(block, lane))).collect();
        variance(&draws).unwrap_or(0.0)
    };
    let of_seeds: f64 = (0..seeds).map(|seed| over_draws(&|block, lane| block[seed][lane])).sum();
    let of_sums = over_draws(&|block, lane| block.iter().map(|of_seed| of_seed[lane]).sum());
    let pairs = (seeds * (seeds - 1)) as f64;
    // A resample of k images varies by 1/k less than the population that the k images come from.
    let smaller_class = images.classes().smaller_class();
    let covariance = (of_sums - of_seeds) / pairs * smaller_class / (smaller_class - 1.0);
    Ok(ImageVariance { covariance, freedom: smaller_class - 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A metric with a known variance: the mean of the first class's numbers minus that of the second class.
    struct Means {
        classes: Classes,
        /// One number per seed and image.
        numbers: Vec<Vec<f64>>,
    }

    impl Images for Means {
        fn classes(&self) -> &Classes {
            &self.classes
        }

        fn seeds(&self) -> usize {
            self.numbers.len()
        }

        fn differences(&self, seed: usize, times: &[Times]) -> Option<[f64; LANES]> {
            let mean = |class: &[usize], lane: usize| {
                class.iter().map(|&image| f64::from(times[image][lane]) * self.numbers[seed][image]).sum::<f64>()
                    / class.len() as f64
            };
            let of_lane = |lane| mean(&self.classes.defective, lane) - mean(&self.classes.normal, lane);
            Some(std::array::from_fn(of_lane))
        }
    }

    fn means(numbers: Vec<Vec<f64>>) -> Means {
        let labels: Vec<bool> = (0..numbers[0].len()).map(|image| image % 2 == 0).collect();
        Means { classes: Classes::of(&labels).expect("both classes"), numbers }
    }

    /// Returns 20 images with numbers 0, 0, 1, 1, … 9, 9, so that both classes have 0 … 9.
    fn shared(seeds: usize) -> Vec<Vec<f64>> {
        vec![(0..20).map(|image| f64::from(image / 2)).collect(); seeds]
    }

    #[test]
    fn shared_variation_is_the_covariance() {
        // Each class's mean has the variance s²/10 with s² = 82.5/9. Their sum is 2 · 9.1667 / 10 = 1.8333, for any number of seeds.
        for seeds in [2, 8] {
            let found = image_covariance(&means(shared(seeds)), 0, Resamples::Verdict).expect("defined");
            assert!((found.covariance - 1.8333).abs() < 0.15 && found.freedom == 9.0, "{found:?}");
            assert_eq!(image_covariance(&means(shared(seeds)), 0, Resamples::Verdict), Ok(found));
            assert_ne!(image_covariance(&means(shared(seeds)), 1, Resamples::Verdict), Ok(found));
        }
    }

    #[test]
    fn blocks_divide_every_number_of_resamples() {
        for resamples in [Resamples::Verdict, Resamples::Plan] {
            assert_eq!(resamples.count() % LANES as u64, 0, "{resamples:?}");
        }
    }

    #[test]
    fn opposite_variation_gives_no_covariance() {
        let one = shared(1);
        assert_eq!(image_covariance(&means(one.clone()), 0, Resamples::Verdict), Ok(ImageVariance::NONE));
        // A second seed that weighs the images in reverse.
        let reversed: Vec<f64> = one[0].iter().rev().copied().collect();
        let found = image_covariance(&means(vec![one[0].clone(), reversed]), 0, Resamples::Verdict).expect("defined");
        assert_eq!(ImageVariance::of_mean(&[found]), ImageVariance::NONE);
    }

    #[test]
    fn classes_that_are_too_small_are_an_error() {
        assert_eq!(Classes::of(&[true, true, false]), Err(ResamplingError::FewImages));
        assert_eq!(Classes::of(&[true, false, true, false]).map(|classes| classes.counts()), Ok((2, 2)));
    }
}
