//! Estimate of a mean paired difference over seeds: interval, p-value, and the effect of more seeds.
//!
//! The difference of seed s is x_s = δ + seed effect + image effect, where all seeds saw the same test images. The mean of n seeds
//! then has the variance s²/n + c: s² is the variance of the x_s, c the covariance of two seeds due to shared images. This is the
//! analysis of several readers of the same cases, with seeds as readers and images as cases: Obuchowski and Rockette, "Hypothesis
//! testing of diagnostic accuracy for multiple readers and multiple tests", 1995. Without c it is Student's paired t test, which
//! generalises to other seeds but only on these images.

use super::power::power;
use super::range::Range;
use super::rounding::is_rounding;
use super::student::{quantile, two_sided_p};
use super::summary::{Summary, summary};

/// Minimum number of seeds for a claim: an interval, a p-value or a number of seeds that would be enough. Fewer seeds can all fall on one
/// side by chance.
pub const FEWEST_SEEDS: usize = 5;

/// Required power of a test.
const POWER: f64 = 0.8;

/// Contribution of the shared images to the variance of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageVariance {
    /// Covariance of two seeds.
    pub covariance: f64,
    /// Degrees of freedom of the covariance.
    pub freedom: f64,
}

impl ImageVariance {
    /// For images that are not resampled: the result then holds only for these images.
    pub const NONE: Self = Self { covariance: 0.0, freedom: f64::INFINITY };

    /// Combines categories, each with its own images, for the mean over them. A negative sum counts as none.
    pub fn of_mean(categories: &[Self]) -> Self {
        let sum: f64 = categories.iter().map(|of| of.covariance).sum();
        if sum <= 0.0 {
            return Self::NONE;
        }
        let squares: f64 = categories.iter().map(|of| of.covariance.powi(2) / of.freedom).sum();
        // Negative estimates may cancel most of the sum. The degrees of freedom are at least those of the least certain category.
        let smallest = categories.iter().map(|of| of.freedom).fold(f64::INFINITY, f64::min);
        Self { covariance: sum / (categories.len() as f64).powi(2), freedom: (sum.powi(2) / squares).max(smallest) }
    }
}

/// A mean difference and its variance components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Number of seeds.
    pub seeds: usize,
    /// Mean difference.
    pub mean: f64,
    /// Variance of the seeds' differences (n − 1).
    variance: f64,
    images: ImageVariance,
    /// Possible values of the mean.
    range: Range,
}

impl Estimate {
    /// Estimates the mean from one difference per seed. `None` for fewer than [`FEWEST_SEEDS`], or if they differ only by rounding. `scale` is
    /// the magnitude of the numbers that were subtracted, `range` what their differences can be.
    pub fn of(differences: &[f64], scale: f64, images: ImageVariance, range: Range) -> Option<Self> {
        let Summary { count, mean, deviation } =
            summary(differences).filter(|summary| summary.count >= FEWEST_SEEDS)?;
        let estimate = Self { seeds: count, mean, variance: deviation?.powi(2), images, range };
        (!is_rounding(estimate.error(count), scale)).then_some(estimate)
    }

    /// Returns the 95 % interval, within the possible values.
    pub fn interval(&self) -> (f64, f64) {
        let half_width = self.error(self.seeds) * quantile(self.freedom(self.seeds), 0.975);
        self.range.intersection((self.mean - half_width, self.mean + half_width))
    }

    /// Returns the two-sided p-value of "no difference".
    pub fn p(&self) -> f64 {
        two_sided_p(self.freedom(self.seeds), self.mean / self.error(self.seeds))
    }

    /// Returns whether a test of this many seeds at `level` has a power of 0.8 for a difference of this size, with the same spread.
    pub fn has_power(&self, seeds: usize, level: f64) -> bool {
        self.power(seeds, level) >= POWER
    }

    /// Returns whether no number of seeds reaches this power because of the shared images.
    pub fn is_limited_by_images(&self, level: f64) -> bool {
        const MANY_SEEDS: usize = 1_000_000;
        let on_these_images = Self { images: ImageVariance::NONE, ..*self };
        !self.has_power(MANY_SEEDS, level) && on_these_images.has_power(MANY_SEEDS, level)
    }

    /// Returns the power of the two-sided test at `level` with this many seeds.
    fn power(&self, seeds: usize, level: f64) -> f64 {
        power(self.freedom(seeds), level, self.mean.abs() / self.error(seeds))
    }

    /// Returns the standard error of the mean of this many seeds.
    fn error(&self, seeds: usize) -> f64 {
        (self.variance / seeds as f64 + self.images.covariance).sqrt()
    }

    /// Returns the degrees of freedom of that standard error (Satterthwaite 1946).
    ///
    /// Hillis, "A comparison of denominator degrees of freedom methods for multiple observer ROC analysis", 2007, treats the covariance
    /// as known.
    fn freedom(&self, seeds: usize) -> f64 {
        let of_seeds = self.variance / seeds as f64;
        let ImageVariance { covariance, freedom } = self.images;
        let squares = of_seeds.powi(2) / (seeds - 1) as f64 + covariance.powi(2) / freedom;
        (of_seeds + covariance).powi(2) / squares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [f64; 5] = [0.01, 0.02, 0.03, 0.04, 0.05];

    #[test]
    fn without_image_variance_it_is_the_paired_t_test() {
        // scipy.stats.ttest_1samp([0.01, 0.02, 0.03, 0.04, 0.05], 0) and its confidence_interval(0.95)
        let estimate = Estimate::of(&FIVE, 1.0, ImageVariance::NONE, Range::UNBOUNDED).expect("five pairs");
        let (low, high) = estimate.interval();
        assert!((low - 0.010_367_568).abs() < 1e-8 && (high - 0.049_632_432).abs() < 1e-8, "{low} {high}");
        assert!((estimate.p() - 0.013_235_6).abs() < 1e-6, "{}", estimate.p());
        assert_eq!(Estimate::of(&FIVE[..4], 1.0, ImageVariance::NONE, Range::UNBOUNDED), None);
        assert_eq!(Estimate::of(&[], 1.0, ImageVariance::NONE, Range::UNBOUNDED), None);
    }

    #[test]
    fn an_interval_has_no_impossible_values() {
        // Differences of shares that jump between ±1: Student's interval alone would be about ±1.36.
        let jumping = [1.0, -1.0, 1.0, -1.0, 0.0];
        let of = |range| Estimate::of(&jumping, 1.0, ImageVariance::NONE, range).expect("five pairs");
        let (low, high) = of(Range::UNBOUNDED).interval();
        // scipy.stats.ttest_1samp([1, −1, 1, −1, 0], 0).confidence_interval(0.95)
        assert!((high - 1.241_664).abs() < 1e-6 && low == -high, "{low} {high}");
        assert_eq!(of(Range::SHARE.of_differences()).interval(), (-1.0, 1.0));
        assert_eq!(of(Range::SHARE.of_differences()).p(), of(Range::UNBOUNDED).p(), "the test is the same");
    }

    #[test]
    fn image_variance_does_not_average_out_over_seeds() {
        // s² = 2.5e-4, s²/5 = 5e-5, c = 1.5e-4 with 9 degrees of freedom: error √2e-4, freedom 4e-8 / (6.25e-10 + 2.5e-9) = 12.8.
        let images = ImageVariance { covariance: 1.5e-4, freedom: 9.0 };
        let estimate = Estimate::of(&FIVE, 1.0, images, Range::UNBOUNDED).expect("five pairs");
        assert!((estimate.error(5) - 2e-4_f64.sqrt()).abs() < 1e-12 && (estimate.freedom(5) - 12.8).abs() < 1e-9);
        // scipy.stats.t.ppf(0.975, 12.8), and 2 * scipy.stats.t.sf(0.03 / √2e-4, 12.8)
        let (low, high) = estimate.interval();
        assert!(((high - low) / 2.0 / 2e-4_f64.sqrt() - 2.163_805_1).abs() < 1e-6, "{low} {high}");
        assert!((estimate.p() - 0.054_012_0).abs() < 1e-6, "{}", estimate.p());
    }

    #[test]
    fn a_mean_over_categories_has_the_variance_of_independent_categories() {
        let of = |covariance, freedom| ImageVariance { covariance, freedom };
        // (1 + 3) / 2², and 4² / (1²/5 + 3²/15)
        let mean = ImageVariance::of_mean(&[of(1.0, 5.0), of(3.0, 15.0)]);
        assert!((mean.covariance - 1.0).abs() < 1e-12 && (mean.freedom - 20.0).abs() < 1e-9, "{mean:?}");
        assert_eq!(ImageVariance::of_mean(&[of(1.0, 5.0), of(-1.5, 15.0)]), ImageVariance::NONE);
        assert_eq!(ImageVariance::of_mean(&[of(1.0, 5.0), of(-0.99, 15.0)]).freedom, 5.0);
        assert_eq!(ImageVariance::of_mean(&[]), ImageVariance::NONE);
    }

    #[test]
    fn differences_equal_up_to_rounding_give_no_estimate() {
        // 0.9875 − 0.975 and 0.7625 − 0.75 are both 0.0125, but not to the last bit.
        let equal = [0.9875 - 0.975, 0.7625 - 0.75, 0.0125, 0.0125, 0.0125];
        assert!(equal[0] != equal[1] && Estimate::of(&equal, 1.0, ImageVariance::NONE, Range::UNBOUNDED).is_none());
        assert_eq!(Estimate::of(&[0.0; 8], 1.0, ImageVariance::NONE, Range::UNBOUNDED), None);
        // Rounding errors grow with the magnitude.
        assert_eq!(Estimate::of(&[1.0, 1.0 + 1e-8, 1.0, 1.0, 1.0], 1e9, ImageVariance::NONE, Range::UNBOUNDED), None);
        assert!(Estimate::of(&[1.0, 1.1, 1.0, 1.0, 1.0], 1e9, ImageVariance::NONE, Range::UNBOUNDED).is_some());
    }

    #[test]
    fn the_number_of_seeds_needed_is_that_of_the_test_in_use() {
        // The smallest n with power ≥ 0.8 by scipy.stats.nct: 10 and 34 for the effects 1 and 0.5; 15 for 1 at the level 0.05/4.
        let of = |mean: f64, images| Estimate { seeds: 5, mean, variance: 1.0, images, range: Range::UNBOUNDED };
        let needed = |mean, level| (2..100).find(|&seeds| of(mean, ImageVariance::NONE).has_power(seeds, level));
        assert_eq!((needed(1.0, 0.05), needed(-0.5, 0.05), needed(1.0, 0.0125)), (Some(10), Some(34), Some(15)));
        // More seeds never remove the uncertainty of the images.
        let images = ImageVariance { covariance: 0.25, freedom: 50.0 };
        assert!(!of(1.0, images).has_power(100, 0.05) && of(1.0, images).is_limited_by_images(0.05));
        assert!(!of(2.0, images).is_limited_by_images(0.05));
        assert!(
            !of(0.0, images).is_limited_by_images(0.05) && !of(0.0, ImageVariance::NONE).is_limited_by_images(0.05)
        );
    }
}
