//! Paired differences of two variants, same category and same seed, and what may be said of them. Every difference that a report, a
//! comparison or an export tells is made here.

use std::collections::BTreeSet;

use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::{complete_means, holm, scale};

/// Level of the verdicts.
pub(crate) const LEVEL: f64 = 0.05;

/// One category's pairs: seed, value, the reference's value.
pub(crate) type Pairs<'a> = (&'a str, Vec<(i64, f64, f64)>);

/// The pairs of a variant and its reference in one metric, of complete seeds alone: those with a pair in each of the categories. So all
/// that is made of them, means and differences and intervals, is of the same runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Differences<'a> {
    /// The categories in which both have a number with the same seed. One without (no mask, failed runs) is left out.
    pub categories: Vec<Pairs<'a>>,
    /// One difference a seed, a mean over these categories.
    pub by_seed: Vec<f64>,
    /// Seeds of which one of the two has a number in these categories, but not both in all of them.
    pub incomplete_seeds: Vec<i64>,
}

impl<'a> Differences<'a> {
    /// `one` minus `other` over the categories that both have.
    pub(crate) fn between(one: &'a Side, other: &'a Side, metric: Metric) -> Option<Self> {
        let categories: Vec<&str> = one.categories().intersection(&other.categories()).copied().collect();
        Self::over(&categories, one, other, metric)
    }

    /// `one` minus `other` over some categories; none where no seed has all of those in which both have a number.
    pub(crate) fn over(categories: &[&'a str], one: &Side, other: &Side, metric: Metric) -> Option<Self> {
        let mut seeds = BTreeSet::new();
        let mut paired: Vec<Pairs<'a>> = Vec::new();
        for category in categories {
            let (values, reference) = (one.values(category, metric), other.values(category, metric));
            let of_seed = |seed| reference.iter().find(|(known, _)| *known == seed).map(|(_, value)| *value);
            let pairs: Vec<(i64, f64, f64)> =
                values.iter().filter_map(|(seed, value)| Some((*seed, *value, of_seed(*seed)?))).collect();
            if !pairs.is_empty() {
                seeds.extend(values.iter().chain(&reference).map(|(seed, _)| *seed));
                paired.push((category, pairs));
            }
        }
        let cells: Vec<Vec<(i64, f64)>> = paired
            .iter()
            .map(|(_, pairs)| pairs.iter().map(|(seed, value, reference)| (*seed, value - reference)).collect())
            .collect();
        let (complete, by_seed): (BTreeSet<i64>, Vec<f64>) = complete_means(&cells).into_iter().unzip();
        paired.iter_mut().for_each(|(_, pairs)| pairs.retain(|(seed, ..)| complete.contains(seed)));
        let incomplete_seeds = seeds.difference(&complete).copied().collect();
        (!by_seed.is_empty()).then_some(Self { categories: paired, by_seed, incomplete_seeds })
    }

    /// All pairs: value, the reference's value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.categories.iter().flat_map(|(_, pairs)| pairs).map(|(_, value, reference)| (*value, *reference))
    }

    /// The size of the numbers that were subtracted: what is far below it is rounding.
    pub(crate) fn scale(&self) -> f64 {
        scale(self.pairs().flat_map(|(value, reference)| [value, reference]))
    }

    /// The difference: its mean over seeds.
    pub(crate) fn mean(&self) -> f64 {
        self.by_seed.iter().sum::<f64>() / self.by_seed.len() as f64
    }
}

/// "without seed 3", "without seeds 3, 4"; none where no seed is left out.
pub(crate) fn without(seeds: &[i64]) -> Option<String> {
    let listed = seeds.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    match seeds {
        [] => None,
        [_] => Some(format!("without seed {listed}")),
        _ => Some(format!("without seeds {listed}")),
    }
}

/// Adjusts the p-values that were looked at together (Holm); those that are absent stay so.
pub(crate) fn adjust<'p>(p_values: impl Iterator<Item = &'p mut Option<f64>>) {
    let mut present: Vec<&mut f64> = p_values.filter_map(Option::as_mut).collect();
    let adjusted = holm(&present.iter().map(|p| **p).collect::<Vec<_>>());
    present.iter_mut().zip(adjusted).for_each(|(p, adjusted)| **p = adjusted);
}

/// Whether a p-value settles a difference.
pub(crate) fn settles(p: f64) -> bool {
    p < LEVEL
}
