//! How far two seeds vary together because they saw the same test images: images are drawn anew, once for all seeds and both variants
//! (a bootstrap; Davison and Hinkley 1997, §3). Categories stay: they were chosen, and each has images of its own.

use rand::Rng;
use rayon::prelude::*;

use super::estimate::ImageVariance;
use super::summary::variance;
use crate::data::{below, stream};

/// How often the images of a category are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draws {
    /// For a verdict: the covariance is off by some 3 %.
    Verdict,
    /// For a plan, a tenth of the work: by some 10 %.
    Plan,
}

impl Draws {
    fn count(self) -> u64 {
        match self {
            Self::Verdict => 2000,
            Self::Plan => 200,
        }
    }
}

/// Images of a class without which their spread cannot be told.
const FEWEST: usize = 2;

/// Why the images of a category cannot be drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undrawn {
    /// The runs saw other images.
    #[error("the runs saw other test images")]
    OtherImages,
    /// A class is too small.
    #[error("fewer than {FEWEST} test images are normal, or defective")]
    FewImages,
    /// The sums of drawn pixels do not fit.
    #[error("the test images have too many pixels")]
    TooManyPixels,
    /// A number is undefined on some draw.
    #[error("the metric is undefined on some draws of the test images")]
    Undefined,
}

/// Which test images are of which class, by index.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    defective: Vec<usize>,
    normal: Vec<usize>,
}

impl Classes {
    /// From labels, true = defective.
    pub fn of(labels: &[bool]) -> Result<Self, Undrawn> {
        let (defective, normal): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&image| labels[image]);
        match defective.len().min(normal.len()) < FEWEST {
            true => Err(Undrawn::FewImages),
            false => Ok(Self { defective, normal }),
        }
    }

    /// How many defective and how many normal images; as many are drawn.
    pub fn counts(&self) -> (usize, usize) {
        (self.defective.len(), self.normal.len())
    }

    /// The images of the smaller class.
    fn fewest(&self) -> f64 {
        self.defective.len().min(self.normal.len()) as f64
    }

    /// Draws images with replacement and tells how often each was drawn. The classes apart: a test set's shares are chosen, too.
    fn draw(&self, random: &mut impl Rng) -> Vec<u32> {
        let mut times = vec![0; self.defective.len() + self.normal.len()];
        for class in [&self.defective, &self.normal] {
            class.iter().for_each(|_| times[class[below(random, class.len())]] += 1);
        }
        times
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

/// The mean covariance of two seeds' differences over draws of one category's images, as estimated: it may fall below 0. `category`
/// makes the draws of each category its own; the same input gives the same number. 0 of one seed.
pub fn image_covariance(images: &impl Images, category: u64, draws: Draws) -> Result<ImageVariance, Undrawn> {
    let seeds = images.seeds();
    if seeds < 2 {
        return Ok(ImageVariance::NONE);
    }
    let draw = |number: u64| -> Option<Vec<f64>> {
        let times = images.classes().draw(&mut stream(0, "bootstrap", number, category));
        (0..seeds).map(|seed| images.difference(seed, &times)).collect()
    };
    let draws: Vec<Vec<f64>> =
        (0..draws.count()).into_par_iter().map(draw).collect::<Option<_>>().ok_or(Undrawn::Undefined)?;
    let over_draws = |of: &dyn Fn(&Vec<f64>) -> f64| variance(&draws.iter().map(of).collect::<Vec<_>>()).unwrap_or(0.0);
    let of_seeds: f64 = (0..seeds).map(|seed| over_draws(&|of_draw| of_draw[seed])).sum();
    let of_sums = over_draws(&|of_draw| of_draw.iter().sum());
    let pairs = (seeds * (seeds - 1)) as f64;
    // Images that are drawn from k vary by 1/k less than those that the k were drawn from.
    let fewest = images.classes().fewest();
    let covariance = (of_sums - of_seeds) / pairs * fewest / (fewest - 1.0);
    Ok(ImageVariance { covariance, freedom: fewest - 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A metric whose variance over draws is known: the mean of each class's numbers, the first minus the second class.
    struct Means {
        classes: Classes,
        /// A number for each seed and image.
        numbers: Vec<Vec<f64>>,
    }

    impl Images for Means {
        fn classes(&self) -> &Classes {
            &self.classes
        }

        fn seeds(&self) -> usize {
            self.numbers.len()
        }

        fn difference(&self, seed: usize, times: &[u32]) -> Option<f64> {
            let mean = |class: &[usize]| {
                class.iter().map(|&image| f64::from(times[image]) * self.numbers[seed][image]).sum::<f64>()
                    / class.len() as f64
            };
            Some(mean(&self.classes.defective) - mean(&self.classes.normal))
        }
    }

    fn means(numbers: Vec<Vec<f64>>) -> Means {
        let labels: Vec<bool> = (0..numbers[0].len()).map(|image| image % 2 == 0).collect();
        Means { classes: Classes::of(&labels).expect("both classes"), numbers }
    }

    /// 20 images with numbers 0, 0, 1, 1, … 9, 9: both classes have 0 … 9.
    fn shared(seeds: usize) -> Vec<Vec<f64>> {
        vec![(0..20).map(|image| f64::from(image / 2)).collect(); seeds]
    }

    #[test]
    fn what_seeds_share_is_their_covariance() {
        // Each class's mean has the variance s²/10, where s² = 82.5/9: together 2 · 9.1667 / 10 = 1.8333, whatever the seeds.
        for seeds in [2, 8] {
            let found = image_covariance(&means(shared(seeds)), 0, Draws::Verdict).expect("defined");
            assert!((found.covariance - 1.8333).abs() < 0.15 && found.freedom == 9.0, "{found:?}");
            assert_eq!(image_covariance(&means(shared(seeds)), 0, Draws::Verdict), Ok(found));
            assert_ne!(image_covariance(&means(shared(seeds)), 1, Draws::Verdict), Ok(found));
        }
    }

    #[test]
    fn what_is_each_seeds_own_is_none() {
        let one = shared(1);
        assert_eq!(image_covariance(&means(one.clone()), 0, Draws::Verdict), Ok(ImageVariance::NONE));
        // A second seed that weighs images the other way round.
        let turned: Vec<f64> = one[0].iter().rev().copied().collect();
        let found = image_covariance(&means(vec![one[0].clone(), turned]), 0, Draws::Verdict).expect("defined");
        assert_eq!(ImageVariance::of_mean(&[found]), ImageVariance::NONE);
    }

    #[test]
    fn classes_that_are_too_small_are_told() {
        assert_eq!(Classes::of(&[true, true, false]), Err(Undrawn::FewImages));
        assert_eq!(Classes::of(&[true, false, true, false]).map(|classes| classes.counts()), Ok((2, 2)));
    }
}
