//! How many seeds would settle a difference.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

use super::simpson::integral;

/// Beyond this a difference is not worth settling.
const MOST: usize = 10_000;
/// Chance of a verdict that is asked for.
const POWER: f64 = 0.8;

/// The fewest paired seeds with which a t-test at 5 % finds a mean difference of `mean` with this standard deviation four times in
/// five; none for no difference, or where 10,000 would not do.
pub fn seeds_needed(mean: f64, deviation: f64) -> Option<usize> {
    let effect = mean.abs() / deviation;
    if !effect.is_finite() || power(MOST, effect) < POWER {
        return (mean != 0.0 && deviation == 0.0).then_some(2);
    }
    // The power grows with the seeds.
    let (mut low, mut high) = (1, MOST);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if power(middle, effect) < POWER { low = middle } else { high = middle }
    }
    Some(high)
}

/// Power of the two-sided paired t-test at 5 %: P(|T| > c) for a noncentral T, as the mean of Φ(±δ − c·s) over s = √(χ²/ν).
fn power(count: usize, effect: f64) -> f64 {
    let freedom = (count - 1) as f64;
    let Ok(student) = StudentsT::new(0.0, 1.0, freedom) else { return 0.0 };
    let (critical, shift) = (student.inverse_cdf(0.975), effect * (count as f64).sqrt());
    let normal = Normal::standard();
    // s is near 1 with deviation 1/√(2ν).
    let reach = 9.0 / (2.0 * freedom).sqrt();
    let (from, to) = ((1.0 - reach).max(1e-9), 1.0 + reach);
    let constant = freedom / 2.0 * (freedom / 2.0).ln() - ln_gamma(freedom / 2.0) + 2.0_f64.ln();
    let density = |s: f64| (constant + (freedom - 1.0) * s.ln() - freedom * s * s / 2.0).exp();
    let value = |s: f64| density(s) * (normal.cdf(shift - critical * s) + normal.cdf(-shift - critical * s));
    integral(from, to, 400, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_noncentral_t() {
        // The smallest n with scipy.stats.nct power ≥ 0.8 at effects 2, 1, 0.5, 0.2.
        for (effect, count) in [(2.0, 5), (1.0, 10), (0.5, 34), (0.2, 199)] {
            assert_eq!(seeds_needed(effect, 1.0), Some(count));
            assert_eq!(seeds_needed(-0.01 * effect, 0.01), Some(count));
        }
        assert!((power(10, 1.0) - 0.803_096_856_6).abs() < 1e-6, "{}", power(10, 1.0));
        assert_eq!(seeds_needed(0.0, 1.0), None);
        assert_eq!(seeds_needed(1e-6, 1.0), None);
        assert_eq!(seeds_needed(0.1, 0.0), Some(2));
        assert_eq!(seeds_needed(0.0, 0.0), None);
    }
}
