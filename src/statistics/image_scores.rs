//! Image AUROC of two variants on resampled images.

use super::crossed::{Classes, Images, LANES, ResamplingError, Times};

/// Image scores of two variants in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScores {
    classes: Classes,
    /// For each seed, the orders of both variants.
    seeds: Vec<(ScoreOrder, ScoreOrder)>,
}

/// Images of one run by ascending score: sorted once for all resamples.
#[derive(Debug, Clone, PartialEq)]
struct ScoreOrder(Vec<RankedImage>);

/// One image of a score order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct RankedImage {
    image: usize,
    defective: bool,
    /// Whether it is the last of its tie: the next image has a higher score.
    ends_tie: bool,
}

impl ScoreOrder {
    fn of(labels: &[bool], scores: &[f64]) -> Self {
        let mut sorted: Vec<usize> = (0..labels.len()).collect();
        sorted.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let ranked = |(rank, &image): (usize, &usize)| {
            let ends_tie = sorted.get(rank + 1).is_none_or(|&next| scores[next] > scores[image]);
            RankedImage { image, defective: labels[image], ends_tie }
        };
        Self(sorted.iter().enumerate().map(ranked).collect())
    }

    /// Counts the (defective, normal) pairs in the right order in each resample, with each image counted `times` times; ties count half.
    fn wins(&self, times: &[Times]) -> [f64; LANES] {
        let (mut below, mut halves) = ([0; LANES], [0; LANES]);
        let (mut normal, mut defective) = ([0; LANES], [0; LANES]);
        for ranked in &self.0 {
            let of_class = if ranked.defective { &mut defective } else { &mut normal };
            of_class.iter_mut().zip(&times[ranked.image]).for_each(|(sum, times)| *sum += times);
            if ranked.ends_tie {
                for lane in 0..LANES {
                    halves[lane] += u64::from(defective[lane]) * u64::from(2 * below[lane] + normal[lane]);
                    below[lane] += normal[lane];
                }
                (normal, defective) = ([0; LANES], [0; LANES]);
            }
        }
        halves.map(|halves| halves as f64 / 2.0)
    }
}

impl ImageScores {
    /// Creates it from labels (true = defective) and, for each seed, the scores of both variants.
    ///
    /// # Errors
    /// The numbers of images differ, or a class is too small.
    pub fn new(labels: &[bool], seeds: &[(Vec<f64>, Vec<f64>)]) -> Result<Self, ResamplingError> {
        if seeds.iter().any(|(one, two)| one.len() != labels.len() || two.len() != labels.len()) {
            return Err(ResamplingError::DifferentImages);
        }
        let order = |scores: &[f64]| ScoreOrder::of(labels, scores);
        let seeds = seeds.iter().map(|(one, two)| (order(one), order(two))).collect();
        Ok(Self { classes: Classes::of(labels)?, seeds })
    }
}

impl Images for ImageScores {
    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn seeds(&self) -> usize {
        self.seeds.len()
    }

    fn differences(&self, seed: usize, times: &[Times]) -> Option<[f64; LANES]> {
        let (one, two) = &self.seeds[seed];
        let (one, two) = (one.wins(times), two.wins(times));
        let (defective, normal) = self.classes.counts();
        Some(std::array::from_fn(|lane| (one[lane] - two[lane]) / (defective * normal) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::crossed::{Resamples, image_covariance};
    use super::super::estimate::{Estimate, ImageVariance};
    use super::super::range::Range;
    use super::*;

    #[test]
    fn the_difference_is_that_of_the_roc_areas_on_the_resample() {
        // Defective 0.9, 0.4 and normal 0.5, 0.1: 3 of 4 pairs are in order. The second variant ties 0.5 with 0.5: 3.5 of 4.
        let labels = [true, false, true, false];
        let seeds = [(vec![0.9, 0.5, 0.4, 0.1], vec![0.9, 0.5, 0.5, 0.1])];
        let scores = ImageScores::new(&labels, &seeds).expect("two of each class");
        // The first resample has every image once. The second has the first defective and the first normal image twice each: in order for
        // both variants. The third has the second defective image twice: 2 of 4 and 3 of 4.
        let resamples = [[1, 1, 1, 1], [2, 2, 0, 0], [0, 1, 2, 1]];
        let of_image = |image: usize| std::array::from_fn(|lane| resamples[lane % resamples.len()][image]);
        let times: Vec<Times> = (0..4).map(of_image).collect();
        let expected = [0.75 - 0.875, 0.0, 0.5 - 0.75];
        assert_eq!(scores.differences(0, &times), Some(std::array::from_fn(|lane| expected[lane % expected.len()])));
        assert_eq!(ImageScores::new(&[true; 2], &[]), Err(ResamplingError::FewImages));
        assert_eq!(ImageScores::new(&labels, &[(vec![0.0; 4], vec![1.0; 3])]), Err(ResamplingError::DifferentImages));
    }

    /// Returns a pseudo-random number in 0..1 that NumPy can reproduce: frac(sin(x) · 43758.5453).
    fn hashed(x: f64) -> f64 {
        let x = x.sin() * 43_758.545_3;
        x - x.floor()
    }

    #[test]
    fn the_covariance_of_shared_images_agrees_with_delong() {
        // Two variants, eight seeds, 40 images, every other one defective. An image has an effect per variant that all seeds share.
        let labels: Vec<bool> = (0..40).map(|image| image % 2 == 0).collect();
        let scores = |variant: usize, seed: usize| -> Vec<f64> {
            let score = |image: usize| {
                let of_image = 0.5 * hashed(image as f64 * 12.9898);
                let of_variant = 0.7 * hashed((image + 100 * (variant + 1)) as f64 * 12.9898);
                let noise = 0.5 * hashed((image + 1000 * (seed + 1) + 20_000 * (variant + 1)) as f64 * 78.233);
                0.4 * f64::from(u8::from(labels[image])) + of_image + of_variant + noise
            };
            (0..40).map(score).collect()
        };
        let seeds: Vec<_> = (0..8).map(|seed| (scores(0, seed), scores(1, seed))).collect();
        let images = ImageScores::new(&labels, &seeds).expect("twenty of each class");
        let found = image_covariance(&images, 0, Resamples::Verdict).expect("defined");
        // DeLong's placements in NumPy give the mean covariance of two seeds 0.003988. 2,000 resamples have an error of a few per cent.
        assert!((found.covariance / 0.003_988_158 - 1.0).abs() < 0.1 && found.freedom == 19.0, "{found:?}");

        // The same script gives d = −0.1459, s² = 0.001571, t = −2.256 with 20.78 degrees of freedom. By seeds alone, p is 1.6e-5.
        let once = [[1; LANES]; 40];
        let differences: Vec<f64> = (0..8).filter_map(|seed| Some(images.differences(seed, &once)?[0])).collect();
        let estimate = Estimate::of(&differences, 1.0, found, Range::UNBOUNDED).expect("eight seeds");
        let (low, high) = estimate.interval();
        assert!((estimate.mean + 0.145_937_5).abs() < 1e-9, "{estimate:?}");
        assert!((low + 0.280_55).abs() < 0.01 && (high + 0.011_32).abs() < 0.01, "{low} {high}");
        assert!((estimate.p() - 0.034_978).abs() < 0.01, "{}", estimate.p());
        let alone = Estimate::of(&differences, 1.0, ImageVariance::NONE, Range::UNBOUNDED).expect("eight seeds");
        assert!((alone.p() / 1.637_332_8e-5 - 1.0).abs() < 1e-5, "{}", alone.p());
    }
}
