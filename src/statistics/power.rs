//! Power of the t test.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

use super::simpson::integral;
use super::student::quantile;

/// Returns the power of the two-sided t test at `level` with `freedom` degrees of freedom, if the true mean is `shift` standard errors
/// from 0: P(|T| > c) for a noncentral T, computed as the mean of Φ(±shift − c·s) over s = √(χ²/ν).
pub(crate) fn power(freedom: f64, level: f64, shift: f64) -> f64 {
    let critical = quantile(freedom, 1.0 - level / 2.0);
    let normal = Normal::standard();
    // s is near 1 with standard deviation 1/√(2ν).
    let half_width = 9.0 / (2.0 * freedom).sqrt();
    let (from, to) = ((1.0 - half_width).max(1e-9), 1.0 + half_width);
    let constant = freedom / 2.0 * (freedom / 2.0).ln() - ln_gamma(freedom / 2.0) + 2.0_f64.ln();
    let density = |s: f64| (constant + (freedom - 1.0) * s.ln() - freedom * s * s / 2.0).exp();
    let value = |s: f64| density(s) * (normal.cdf(shift - critical * s) + normal.cdf(-shift - critical * s));
    integral(from, to, 400, value)
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn it_agrees_with_scipys_noncentral_t() {
        // 1 − scipy.stats.nct.cdf(c, df, nc) + scipy.stats.nct.cdf(−c, df, nc) with c = scipy.stats.t.ppf(1 − level / 2, df)
        let found = power(9.0, 0.05, 10.0_f64.sqrt());
        assert!((found - 0.803_096_856_6).abs() < 1e-6, "{found}");
        // Without a difference, the power equals the level.
        for freedom in [4.0, 12.8, 300.0] {
            assert!((power(freedom, 0.05, 0.0) - 0.05).abs() < 1e-6);
        }
    }
}
