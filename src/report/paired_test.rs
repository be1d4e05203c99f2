//! Interval and p-value of a paired difference, by what its seeds allow.

use super::difference::Differences;
use super::resampled::resampled;
use super::side::Side;
use super::statistics::paired_t;

/// Seeds from which the interval is bootstrapped over seeds and images; with fewer it is Student's t over seeds.
const BOOTSTRAP_SEEDS: usize = 8;

/// What a paired test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PairedTest {
    /// 95 % interval, where seeds tell one.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p-value of "no difference", not adjusted.
    pub p: Option<f64>,
    /// How both were made.
    pub method: &'static str,
}

/// The test of `one` minus `other` in a metric.
pub(super) fn paired_test(metric: &str, one: &Side, other: &Side, differences: &Differences<'_>) -> PairedTest {
    let bootstrapped = (differences.by_seed.len() >= BOOTSTRAP_SEEDS)
        .then(|| resampled(metric, one, other, &differences.categories))
        .flatten();
    match (bootstrapped, paired_t(&differences.by_seed)) {
        (Some(b), _) => {
            PairedTest { interval: Some((b.low, b.high)), p: Some(b.p), method: "bootstrap over seeds and images" }
        }
        (None, Some(t)) => {
            PairedTest { interval: Some((t.low, t.high)), p: Some(t.p), method: "Student's t over seeds" }
        }
        (None, None) => PairedTest { interval: None, p: None, method: "none" },
    }
}
