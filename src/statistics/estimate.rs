//! A mean of paired differences over seeds: its interval, its p-value, and what more seeds would tell.
//!
//! The difference of seed s is x_s = δ + seed + images, where all seeds saw the same test images. The mean of n seeds then has the
//! variance s²/n + c: s² is the variance of the x_s, c the covariance of two seeds by the images that they share. This is the
//! analysis of several readers of the same cases, with seeds as readers and images as cases (Obuchowski and Rockette, "Hypothesis
//! testing of diagnostic accuracy for multiple readers and multiple tests", 1995). Without c it is Student's paired t, which speaks
//! of other seeds on these images alone.

use super::power::power;
use super::rounding::is_rounding;
use super::student::{quantile, two_sided_p};
use super::summary::{Summary, summary};

/// Chance of a verdict that is asked for.
const POWER: f64 = 0.8;

/// What the images that all seeds share add to the variance of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageVariance {
    /// Covariance of two seeds.
    pub covariance: f64,
    /// Its degrees of freedom.
    pub freedom: f64,
}

impl ImageVariance {
    /// Of images that are not sampled anew: what is said is of these images.
    pub const NONE: Self = Self { covariance: 0.0, freedom: f64::INFINITY };

    /// Of a mean over categories, each with images of its own. What is estimated below 0 is none.
    pub fn of_mean(categories: &[Self]) -> Self {
        let sum: f64 = categories.iter().map(|of| of.covariance).sum();
        if sum <= 0.0 {
            return Self::NONE;
        }
        let squares: f64 = categories.iter().map(|of| of.covariance.powi(2) / of.freedom).sum();
        // Estimates below 0 may leave next to nothing of the others; a mean is no less sure than the least sure of its parts.
        let least = categories.iter().map(|of| of.freedom).fold(f64::INFINITY, f64::min);
        Self { covariance: sum / (categories.len() as f64).powi(2), freedom: (sum.powi(2) / squares).max(least) }
    }
}

/// A mean difference with what it varies by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Seeds.
    pub seeds: usize,
    /// Mean difference.
    pub mean: f64,
    /// Variance of the seeds' differences (n − 1).
    variance: f64,
    images: ImageVariance,
}

impl Estimate {
    /// From one difference a seed; none of fewer than two, or where nothing but rounding makes them differ. `scale`: the size of the
    /// numbers that were subtracted.
    pub fn of(differences: &[f64], scale: f64, images: ImageVariance) -> Option<Self> {
        let Summary { count, mean, deviation } = summary(differences)?;
        let estimate = Self { seeds: count, mean, variance: deviation?.powi(2), images };
        (!is_rounding(estimate.error(count), scale)).then_some(estimate)
    }

    /// 95 % interval.
    pub fn interval(&self) -> (f64, f64) {
        let reach = self.error(self.seeds) * quantile(self.freedom(self.seeds), 0.975);
        (self.mean - reach, self.mean + reach)
    }

    /// Two-sided p-value of "no difference".
    pub fn p(&self) -> f64 {
        two_sided_p(self.freedom(self.seeds), self.mean / self.error(self.seeds))
    }

    /// Whether a test of so many seeds at `level` finds a difference of this size four times in five, if seeds vary as these do.
    pub fn would_settle(&self, seeds: usize, level: f64) -> bool {
        self.power(seeds, level) >= POWER
    }

    /// Whether no number of seeds would, because of the images that all of them share.
    pub fn is_limited_by_images(&self, level: f64) -> bool {
        const ENDLESS: usize = 1_000_000;
        let on_these_images = Self { images: ImageVariance::NONE, ..*self };
        !self.would_settle(ENDLESS, level) && on_these_images.would_settle(ENDLESS, level)
    }

    /// Power of the two-sided test at `level` with so many seeds.
    fn power(&self, seeds: usize, level: f64) -> f64 {
        power(self.freedom(seeds), level, self.mean.abs() / self.error(seeds))
    }

    /// Standard error of the mean of so many seeds.
    fn error(&self, seeds: usize) -> f64 {
        (self.variance / seeds as f64 + self.images.covariance).sqrt()
    }

    /// Degrees of freedom of that standard error (Satterthwaite 1946; Hillis, "A comparison of denominator degrees of freedom methods
    /// for multiple observer ROC analysis", 2007, which takes the covariance as known).
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
    fn without_images_it_is_the_paired_t_test() {
        // scipy.stats.ttest_1samp([0.01, 0.02, 0.03, 0.04, 0.05], 0) and its confidence_interval(0.95)
        let estimate = Estimate::of(&FIVE, 1.0, ImageVariance::NONE).expect("five pairs");
        let (low, high) = estimate.interval();
        assert!((low - 0.010_367_568).abs() < 1e-8 && (high - 0.049_632_432).abs() < 1e-8, "{low} {high}");
        assert!((estimate.p() - 0.013_235_6).abs() < 1e-6, "{}", estimate.p());
        assert_eq!(Estimate::of(&[1.0], 1.0, ImageVariance::NONE), None);
        assert_eq!(Estimate::of(&[], 1.0, ImageVariance::NONE), None);
    }

    #[test]
    fn images_that_all_seeds_share_do_not_average_out() {
        // s² = 2.5e-4, s²/5 = 5e-5, c = 1.5e-4 with 9 degrees of freedom: error √2e-4, freedom 4e-8 / (6.25e-10 + 2.5e-9) = 12.8.
        let images = ImageVariance { covariance: 1.5e-4, freedom: 9.0 };
        let estimate = Estimate::of(&FIVE, 1.0, images).expect("five pairs");
        assert!((estimate.error(5) - 2e-4_f64.sqrt()).abs() < 1e-12 && (estimate.freedom(5) - 12.8).abs() < 1e-9);
        // scipy.stats.t.ppf(0.975, 12.8), and 2 * scipy.stats.t.sf(0.03 / √2e-4, 12.8)
        let (low, high) = estimate.interval();
        assert!(((high - low) / 2.0 / 2e-4_f64.sqrt() - 2.163_805_1).abs() < 1e-6, "{low} {high}");
        assert!((estimate.p() - 0.054_012_0).abs() < 1e-6, "{}", estimate.p());
    }

    #[test]
    fn a_mean_over_categories_has_the_variance_of_independent_ones() {
        let of = |covariance, freedom| ImageVariance { covariance, freedom };
        // (1 + 3) / 2², and 4² / (1²/5 + 3²/15)
        let mean = ImageVariance::of_mean(&[of(1.0, 5.0), of(3.0, 15.0)]);
        assert!((mean.covariance - 1.0).abs() < 1e-12 && (mean.freedom - 20.0).abs() < 1e-9, "{mean:?}");
        assert_eq!(ImageVariance::of_mean(&[of(1.0, 5.0), of(-1.5, 15.0)]), ImageVariance::NONE);
        assert_eq!(ImageVariance::of_mean(&[of(1.0, 5.0), of(-0.99, 15.0)]).freedom, 5.0);
        assert_eq!(ImageVariance::of_mean(&[]), ImageVariance::NONE);
    }

    #[test]
    fn differences_that_only_rounding_tells_apart_prove_nothing() {
        // 0.9875 − 0.975 and 0.7625 − 0.75 are both 0.0125, but not to the last bit.
        let equal = [0.9875 - 0.975, 0.7625 - 0.75];
        assert!(equal[0] != equal[1] && Estimate::of(&equal, 1.0, ImageVariance::NONE).is_none());
        assert_eq!(Estimate::of(&[0.0; 8], 1.0, ImageVariance::NONE), None);
        // Large numbers round as much coarser.
        assert_eq!(Estimate::of(&[1.0, 1.0 + 1e-8, 1.0], 1e9, ImageVariance::NONE), None);
        assert!(Estimate::of(&[1.0, 1.1, 1.0], 1e9, ImageVariance::NONE).is_some());
    }

    #[test]
    fn seeds_needed_are_those_of_the_test_in_use() {
        // The smallest n with scipy.stats.nct power ≥ 0.8 at the effects 1 and 0.5 is 10 and 34; at the level 0.05/4 it is 15 for 1.
        let of = |mean: f64, images| Estimate { seeds: 5, mean, variance: 1.0, images };
        let needed = |mean, level| (2..100).find(|&seeds| of(mean, ImageVariance::NONE).would_settle(seeds, level));
        assert_eq!((needed(1.0, 0.05), needed(-0.5, 0.05), needed(1.0, 0.0125)), (Some(10), Some(34), Some(15)));
        // More seeds never outweigh what the images leave open.
        let images = ImageVariance { covariance: 0.25, freedom: 50.0 };
        assert!(!of(1.0, images).would_settle(100, 0.05) && of(1.0, images).is_limited_by_images(0.05));
        assert!(!of(2.0, images).is_limited_by_images(0.05));
        assert!(
            !of(0.0, images).is_limited_by_images(0.05) && !of(0.0, ImageVariance::NONE).is_limited_by_images(0.05)
        );
    }
}
