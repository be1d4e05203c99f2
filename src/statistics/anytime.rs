//! Inference on a mean that stays valid when observations are added until the answer is settled.
//!
//! An e-process is a non-negative sequence E_1, E_2, … whose expectation is at most 1 whenever one stops, if the hypothesis is true. So
//! P(E_n ≥ 1/α for any n) ≤ α (Ville). The scale-invariant t e-process tests the mean of normal observations with unknown variance. Sources:
//! Pérez-Ortiz, Lardy, de Heide, Grünwald, "E-statistics, group invariance and anytime-valid testing", 2024; Wang and Ramdas, "Anytime-valid
//! t-tests and confidence sequences for Gaussian means with unknown variance", 2024. With n observations of mean x̄ and deviation s:
//!
//! a = 1 + n·g, ν = n − 1, t = √n (x̄ − m)/s, E_n(m) = a^(−1/2) · [(1 + t²/ν)/(1 + t²/(ν a))]^(n/2).
//!
//! The confidence sequence is the set of all m with E_n(m) < 1/α. It starts with [`FEWEST_SEEDS`] observations: before, nothing is claimed. Later
//! looks stay valid, because the bound holds for all n together.

use super::estimate::FEWEST_SEEDS;
use super::range::Range;
use super::summary::{Summary, summary};

/// Variance of the standardised mean under the alternative. It belongs to the protocol of a decision.
const G: f64 = 1.0;

/// What a decision asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Probability of a wrong answer for one mean, whenever one stops.
    pub alpha: f64,
    /// Means between −margin and margin count as equivalent to 0.
    pub margin: f64,
    /// Smallest step of an observation. The deviation counts as at least that of rounding to this step, so that equal observations prove
    /// nothing.
    pub resolution: f64,
    /// Possible values of the mean.
    pub range: Range,
}

/// What is known after some observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Number of observations.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their deviation, at least that of rounding.
    deviation: f64,
    /// Interval of the confidence sequence, within the possible values; `None` with fewer than [`FEWEST_SEEDS`] observations or if it is the whole line.
    pub interval: Option<(f64, f64)>,
    /// E-value of "the mean is 0".
    pub e_value: f64,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The mean is above 0.
    Better,
    /// The mean is below 0.
    Worse,
    /// The mean is within the margin.
    Equivalent,
}

/// The state of a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The answer; `None` while it is open.
    pub answer: Option<Answer>,
    /// The look that gave the answer, or the last one.
    pub look: Look,
    /// Probability of such e-values at any time if the mean is 0, up to that look; `None` with fewer than [`FEWEST_SEEDS`] observations.
    pub p: Option<f64>,
}

impl Question {
    /// Answers with observations in their order. Later observations never change an answer. Returns `None` without observations.
    pub fn decide(&self, observations: &[f64]) -> Option<Decision> {
        let mut largest: f64 = 1.0;
        let mut last = None;
        for count in 1..=observations.len() {
            let look = self.look(&observations[..count])?;
            let claims = count >= FEWEST_SEEDS;
            if claims {
                largest = largest.max(look.e_value);
            }
            let decision = Decision { answer: self.answer(&look), look, p: claims.then_some(1.0 / largest) };
            if decision.answer.is_some() {
                return Some(decision);
            }
            last = Some(decision);
        }
        last
    }

    /// Returns what is known after all of these observations; `None` if there are none.
    pub fn look(&self, observations: &[f64]) -> Option<Look> {
        let Summary { count, mean, deviation } = summary(observations)?;
        let rounding = self.resolution / 12_f64.sqrt();
        let deviation = deviation.unwrap_or_default().max(rounding);
        let half_width = self.half_width(count, deviation);
        Some(Look {
            count,
            mean,
            deviation,
            interval: half_width.map(|half_width| self.range.intersection((mean - half_width, mean + half_width))),
            e_value: e_value(count, mean, deviation),
        })
    }

    /// Returns half the width of the interval after `count` observations with this deviation; `None` if they are too few or if it is infinite.
    /// Observations without any spread give no interval.
    fn half_width(&self, count: usize, deviation: f64) -> Option<f64> {
        let n = count as f64;
        let a = 1.0 + n * G;
        let c = (a.sqrt() / self.alpha).powf(2.0 / n);
        (count >= FEWEST_SEEDS && c < a && deviation > 0.0)
            .then(|| deviation / n.sqrt() * ((n - 1.0) * (c - 1.0) / (1.0 - c / a)).sqrt())
    }

    fn answer(&self, look: &Look) -> Option<Answer> {
        let (low, high) = look.interval?;
        match () {
            () if -self.margin < low && high < self.margin => Some(Answer::Equivalent),
            () if low > 0.0 => Some(Answer::Better),
            () if high < 0.0 => Some(Answer::Worse),
            () => None,
        }
    }

    /// Returns the smallest number of observations with a finite interval.
    pub fn fewest(&self) -> usize {
        (FEWEST_SEEDS..).find(|&count| self.half_width(count, 1.0).is_some()).unwrap_or(usize::MAX)
    }

    /// Returns the number of observations with which the answer is likely, if mean and deviation stay as they are. The interval then excludes 0
    /// or lies within the margin. Returns `None` if more than `most` are needed, or if [`FEWEST_SEEDS`] observations are not there yet: fewer say
    /// too little about the deviation.
    pub fn needed(&self, look: &Look, most: usize) -> Option<usize> {
        let width = look.mean.abs().max(self.margin - look.mean.abs());
        let is_enough = |&count: &usize| self.half_width(count, look.deviation).is_some_and(|half| half < width);
        (look.count >= FEWEST_SEEDS).then(|| (look.count..=most).find(is_enough)).flatten()
    }
}

/// Returns E_n(0).
fn e_value(count: usize, mean: f64, deviation: f64) -> f64 {
    let n = count as f64;
    // A single observation says nothing about its own spread.
    if count < 2 || deviation == 0.0 {
        return 1.0;
    }
    let (a, freedom) = (1.0 + n * G, n - 1.0);
    let square = n * (mean / deviation).powi(2);
    a.powf(-0.5) * ((1.0 + square / freedom) / (1.0 + square / (freedom * a))).powf(n / 2.0)
}

/// Skewness of a sample, in absolute value, from which a decision may be wrong more often than `alpha` says (`just bench-decide`).
pub const SKEWED: f64 = 0.75;

/// Returns the skewness of a sample (the standardised third moment). Returns 0 if all observations are equal.
pub fn skewness(observations: &[f64]) -> f64 {
    let n = observations.len() as f64;
    let mean = observations.iter().sum::<f64>() / n;
    let moment = |power: i32| observations.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    if variance > 0.0 { moment(3) / variance.powf(1.5) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    const QUESTION: Question = Question { alpha: 0.05, margin: 0.002, resolution: 0.0, range: Range::UNBOUNDED };

    #[test]
    fn e_values_and_intervals_are_those_of_the_formula() {
        let xs = [1.0, 2.0, 3.0, 4.0, 6.0];
        let look = QUESTION.look(&xs).expect("observations");
        // x̄ = 3.2, s² = 3.7, t² = 5·10.24/3.7 = 13.8378, ν = 4, a = 6.
        let t2: f64 = 5.0 * 10.24 / 3.7;
        let expected = 6_f64.powf(-0.5) * ((1.0 + t2 / 4.0) / (1.0 + t2 / 24.0)).powf(2.5);
        assert!((look.e_value - expected).abs() < 1e-12, "{}", look.e_value);
        // c = (√6/0.05)^(2/5), half width = s/√5 · √(4 (c − 1)/(1 − c/6)).
        let c: f64 = (6_f64.sqrt() / 0.05).powf(0.4);
        let half = (3.7_f64 / 5.0).sqrt() * (4.0 * (c - 1.0) / (1.0 - c / 6.0)).sqrt();
        // The same is the Bayes factor of a t test with a normal prior of the effect size (Gönen et al. 2005): 5.4934.
        assert!((look.e_value - 5.493_413).abs() < 1e-6, "{}", look.e_value);
        let (low, high) = look.interval.expect("finite from five observations on");
        assert!((low - (3.2 - half)).abs() < 1e-12 && (high - (3.2 + half)).abs() < 1e-12);
        assert_eq!(QUESTION.fewest(), 5);
        assert_eq!(QUESTION.look(&xs[..4]).expect("observations").interval, None);
    }

    proptest! {
        /// The interval is the set of means that their e-values do not reject.
        #[test]
        fn the_interval_ends_where_the_e_value_reaches_its_bound(
            xs in proptest::collection::vec(-1.0..1.0_f64, 5..40), alpha in 0.005..0.2_f64,
        ) {
            let question = Question { alpha, ..QUESTION };
            let look = question.look(&xs).expect("observations");
            if let Some((low, high)) = look.interval && look.deviation > 1e-6 {
                for end in [low, high] {
                    let e = e_value(xs.len(), look.mean - end, look.deviation);
                    prop_assert!((e * alpha - 1.0).abs() < 1e-6, "{e}");
                }
                prop_assert_eq!(low > 0.0 || high < 0.0, look.e_value > 1.0 / alpha);
            }
        }

        /// E-values do not depend on the unit of the observations.
        #[test]
        fn a_decision_does_not_depend_on_the_unit(xs in proptest::collection::vec(-1.0..1.0_f64, 2..20)) {
            let scaled: Vec<f64> = xs.iter().map(|x| x * 1024.0).collect();
            let question = Question { margin: 0.25, resolution: 0.125, ..QUESTION };
            let of_scaled = Question { margin: 256.0, resolution: 128.0, ..QUESTION };
            let (one, other) = (question.decide(&xs).expect("one"), of_scaled.decide(&scaled).expect("one"));
            prop_assert_eq!((one.answer, one.look.count), (other.answer, other.look.count));
            prop_assert_eq!(one.p.is_some(), xs.len() >= FEWEST_SEEDS);
            prop_assert!((one.p.unwrap_or(1.0) - other.p.unwrap_or(1.0)).abs() < 1e-9);
        }
    }

    #[test]
    fn an_answer_is_the_first_that_holds_and_stays() {
        let better: Vec<f64> = (0..10).map(|i| 0.5 + 0.01 * f64::from(i % 3)).collect();
        let decision = QUESTION.decide(&better).expect("observations");
        assert_eq!((decision.answer, decision.look.count), (Some(Answer::Better), 5));
        assert!(decision.p.is_some_and(|p| p < 0.05));
        // What comes later changes nothing.
        let mut then_worse = better.clone();
        then_worse.extend([-9.0; 20]);
        assert_eq!(QUESTION.decide(&then_worse), Some(decision));
        let worse: Vec<f64> = better.iter().map(|x| -x).collect();
        assert_eq!(QUESTION.decide(&worse).and_then(|decision| decision.answer), Some(Answer::Worse));
        // Within the margin, although also above 0: the difference is too small to matter.
        let small: Vec<f64> = better.iter().map(|x| x * 0.002).collect();
        assert_eq!(QUESTION.decide(&small).and_then(|decision| decision.answer), Some(Answer::Equivalent));
        let open: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(QUESTION.decide(&open).expect("observations").answer, None);
        assert_eq!(QUESTION.decide(&[]), None);
    }

    #[test]
    fn equal_differences_of_a_coarse_metric_prove_nothing() {
        let question = Question { resolution: 0.04, ..QUESTION };
        let decision = question.decide(&[0.04; 5]).expect("observations");
        assert_eq!(decision.answer, None, "{decision:?}");
        assert_eq!(QUESTION.look(&[0.04; 5]).expect("observations").e_value, 1.0, "without any spread");
    }

    #[test]
    fn the_forecast_is_the_number_at_which_the_interval_becomes_narrow_enough() {
        let look = Look { count: 6, mean: 0.01, deviation: 0.02, interval: None, e_value: 1.0 };
        let needed = QUESTION.needed(&look, 1000).expect("finite");
        let half = |count| QUESTION.half_width(count, 0.02).expect("finite");
        assert!(half(needed) < 0.01 && half(needed - 1) >= 0.01, "{needed}");
        assert_eq!(QUESTION.needed(&look, 10), None);
        // Of a mean near 0, that for equivalence.
        let none = Look { mean: 0.0, deviation: 0.001, ..look };
        let needed = QUESTION.needed(&none, 1000).expect("finite");
        assert!(QUESTION.half_width(needed, 0.001).expect("finite") < 0.002, "{needed}");
    }

    #[test]
    fn fewer_than_five_observations_claim_nothing() {
        // With this error, the formula alone would settle it after three observations.
        let question = Question { alpha: 0.5, ..QUESTION };
        let xs = [0.5, 0.501, 0.5, 0.501, 0.5];
        for count in 1..FEWEST_SEEDS {
            let decision = question.decide(&xs[..count]).expect("observations");
            assert_eq!((decision.answer, decision.look.interval, decision.p), (None, None, None), "{count}");
            assert_eq!(question.needed(&decision.look, 1000), None, "{count}");
        }
        let decision = question.decide(&xs).expect("observations");
        assert_eq!((decision.answer, decision.look.count, question.fewest()), (Some(Answer::Better), 5, 5));
    }

    #[test]
    fn an_interval_has_no_impossible_values() {
        let xs = [0.9, -0.8, 0.7, -0.9, 0.8, -0.6];
        let bounded = Question { range: Range::SHARE.of_differences(), ..QUESTION };
        let (low, high) = QUESTION.look(&xs).and_then(|look| look.interval).expect("six observations");
        assert!(low < -1.0 && 1.0 < high, "{low} {high}");
        assert_eq!(bounded.look(&xs).and_then(|look| look.interval), Some((-1.0, 1.0)));
    }

    #[test]
    fn skewness_is_the_standardised_third_moment() {
        // scipy.stats.skew([1, 2, 3, 10]) = 1.0182337649086286
        assert!((skewness(&[1.0, 2.0, 3.0, 10.0]) - 1.018_233_764_908_628_6).abs() < 1e-12);
        assert_eq!(skewness(&[2.0, 2.0]), 0.0);
    }
}
