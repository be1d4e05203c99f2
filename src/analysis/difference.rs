//! Paired differences of two variants with the same category and seed, and which conclusions they allow. This module computes every
//! difference that a report, a comparison or an export shows.

use std::collections::BTreeSet;

use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::{complete_means, holm, scale};

/// Significance level of the verdicts.
pub(crate) const LEVEL: f64 = 0.05;

/// Pairs of one category: seed, value, the reference's value.
pub(crate) type CategoryPairs<'a> = (&'a str, Vec<(i64, f64, f64)>);

/// The pairs of a variant and its reference in one metric, for complete seeds only. A complete seed has a pair in each of the categories.
/// So all means, differences and intervals cover the same runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Differences<'a> {
    /// The categories in which both have a number with the same seed. A category without such a pair (no mask, failed runs) is left out.
    pub categories: Vec<CategoryPairs<'a>>,
    /// One difference per seed: the mean over these categories.
    pub by_seed: Vec<f64>,
    /// Incomplete seeds: at least one of the two has a number in these categories, but not both in all of them.
    pub incomplete_seeds: Vec<i64>,
}

impl<'a> Differences<'a> {
    /// Computes `one` minus `other` over the categories that both have.
    pub(crate) fn between(one: &'a Side, other: &'a Side, metric: Metric) -> Option<Self> {
        let categories: Vec<&str> = one.categories().intersection(&other.categories()).copied().collect();
        Self::over_categories(&categories, one, other, metric)
    }

    /// Computes `one` minus `other` over the given categories. Returns `None` if no seed is complete in the categories where both have a
    /// number.
    pub(crate) fn over_categories(categories: &[&'a str], one: &Side, other: &Side, metric: Metric) -> Option<Self> {
        let mut seeds = BTreeSet::new();
        let mut paired: Vec<CategoryPairs<'a>> = Vec::new();
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

    /// Returns all pairs: value, the reference's value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.categories.iter().flat_map(|(_, pairs)| pairs).map(|(_, value, reference)| (*value, *reference))
    }

    /// Returns the size of the subtracted numbers. A difference far below it is rounding.
    pub(crate) fn scale(&self) -> f64 {
        scale(self.pairs().flat_map(|(value, reference)| [value, reference]))
    }

    /// Returns the difference: the mean over seeds.
    pub(crate) fn mean(&self) -> f64 {
        self.by_seed.iter().sum::<f64>() / self.by_seed.len() as f64
    }
}

/// Returns "without seed 3" or "without seeds 3, 4"; `None` if no seed is left out.
pub(crate) fn without(seeds: &[i64]) -> Option<String> {
    let listed = seeds.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    match seeds {
        [] => None,
        [_] => Some(format!("without seed {listed}")),
        _ => Some(format!("without seeds {listed}")),
    }
}

/// Adjusts the p-values of tests that are evaluated together (Holm); absent p-values stay absent.
pub(crate) fn adjust<'p>(p_values: impl Iterator<Item = &'p mut Option<f64>>) {
    let mut present: Vec<&mut f64> = p_values.filter_map(Option::as_mut).collect();
    let adjusted = holm(&present.iter().map(|p| **p).collect::<Vec<_>>());
    present.iter_mut().zip(adjusted).for_each(|(p, adjusted)| **p = adjusted);
}

/// Returns whether a p-value is significant: it is below [`LEVEL`].
pub(crate) fn is_significant(p: f64) -> bool {
    p < LEVEL
}
