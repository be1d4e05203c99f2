//! A Gaussian kernel that is truncated to an interval.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::{erf_inv, erfc};

/// A Gaussian truncated to an interval that contains its mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TruncatedNormal {
    middle: f64,
    deviation: f64,
    low: f64,
    high: f64,
}

impl TruncatedNormal {
    pub(super) fn new(middle: f64, deviation: f64, low: f64, high: f64) -> Self {
        Self { middle, deviation, low, high }
    }

    /// Returns the value that has a share `u` of the mass below it.
    pub(super) fn quantile(&self, u: f64) -> f64 {
        let (below, above) = (cumulative(self.standard(self.low)), cumulative(self.standard(self.high)));
        let standard = SQRT_2 * erf_inv(2.0 * (below + u * (above - below)) - 1.0);
        (self.middle + self.deviation * standard).clamp(self.low, self.high)
    }

    /// Returns the logarithm of the mass of a bin, or of the density if its ends are equal.
    pub(super) fn log_mass(&self, (left, right): (f64, f64)) -> f64 {
        let log_total = between(self.standard(self.low), self.standard(self.high)).ln();
        let (from, to) = (self.standard(left), self.standard(right));
        match left < right {
            true => between(from, to).max(f64::MIN_POSITIVE).ln() - log_total,
            false => -0.5 * from * from - self.deviation.ln() - 0.5 * (2.0 * PI).ln() - log_total,
        }
    }

    fn standard(&self, value: f64) -> f64 {
        (value - self.middle) / self.deviation
    }
}

fn cumulative(standard: f64) -> f64 {
    0.5 * erfc(-standard / SQRT_2)
}

/// Returns the standard normal's mass between two values, computed in the lower tail to avoid cancellation.
fn between(from: f64, to: f64) -> f64 {
    match from > 0.0 {
        true => cumulative(-from) - cumulative(-to),
        false => cumulative(to) - cumulative(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mass_and_quantiles_agree_with_scipy() {
        // scipy.stats.truncnorm((0 - 0.3) / 0.5, (1 - 0.3) / 0.5, 0.3, 0.5): logpdf(0.9), ppf(0.25), log(cdf(1) - cdf(0.8)).
        let kernel = TruncatedNormal::new(0.3, 0.5, 0.0, 1.0);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        near(kernel.log_mass((0.9, 0.9)), GOLDEN.0);
        near(kernel.quantile(0.25), GOLDEN.1);
        near(kernel.log_mass((0.8, 1.0)), GOLDEN.2);
        near(kernel.quantile(0.0), 0.0);
        near(kernel.quantile(1.0), 1.0);
    }

    const GOLDEN: (f64, f64, f64) = (-0.5072712322289897, 0.21880665210326594, -2.1138272456767297);

    #[test]
    fn bins_in_a_far_tail_keep_their_order() {
        let kernel = TruncatedNormal::new(0.0, 0.01, 0.0, 1.0);
        let (near, far) = (kernel.log_mass((0.2, 0.21)), kernel.log_mass((0.21, 0.22)));
        assert!(near.is_finite() && far.is_finite() && near > far, "{near} {far}");
    }
}
