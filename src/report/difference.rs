//! Paired differences of two variants, same category and same seed, and what may be said of them.

use super::statistics::{complete_means, holm};

/// Level of the verdicts.
const LEVEL: f64 = 0.05;

/// One category's pairs: seed, value, the reference's value.
pub(super) type Pairs<'a> = (&'a str, Vec<(i64, f64, f64)>);

/// All pairs of a variant and its reference in one metric.
pub(super) struct Differences<'a> {
    /// The categories in which both have a number. One without a number on one side (no mask, a failed run) is left out.
    pub categories: Vec<Pairs<'a>>,
    /// One difference a seed, a mean over these categories.
    pub by_seed: Vec<f64>,
}

impl<'a> Differences<'a> {
    /// Pairs what `cells` tells of each category, (seed, value) of the variant and of the reference; none where no seed has all
    /// categories.
    pub(super) fn of(
        categories: impl Iterator<Item = &'a str>,
        cells: impl Fn(&str) -> (Vec<(i64, f64)>, Vec<(i64, f64)>),
    ) -> Option<Self> {
        let pairs = |category: &str| {
            let (values, reference) = cells(category);
            let of_seed = |seed| reference.iter().find(move |(known, _)| *known == seed).map(|(_, value)| *value);
            values.into_iter().filter_map(|(seed, value)| Some((seed, value, of_seed(seed)?))).collect::<Vec<_>>()
        };
        let categories: Vec<Pairs<'a>> =
            categories.map(|category| (category, pairs(category))).filter(|(_, pairs)| !pairs.is_empty()).collect();
        let cells: Vec<Vec<(i64, f64)>> = categories
            .iter()
            .map(|(_, pairs)| pairs.iter().map(|(seed, value, reference)| (*seed, value - reference)).collect())
            .collect();
        let by_seed: Vec<f64> = complete_means(&cells).into_iter().map(|(_, mean)| mean).collect();
        (!by_seed.is_empty()).then_some(Self { categories, by_seed })
    }

    /// All pairs: value, the reference's value.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.categories.iter().flat_map(|(_, pairs)| pairs).map(|(_, value, reference)| (*value, *reference))
    }
}

/// Adjusts the p-values that were looked at together (Holm); those that are absent stay so.
pub(super) fn adjust<'p>(p_values: impl Iterator<Item = &'p mut Option<f64>>) {
    let mut present: Vec<&mut f64> = p_values.filter_map(Option::as_mut).collect();
    let adjusted = holm(&present.iter().map(|p| **p).collect::<Vec<_>>());
    present.iter_mut().zip(adjusted).for_each(|(p, adjusted)| **p = adjusted);
}

/// Whether a p-value settles a difference.
pub(super) fn settles(p: f64) -> bool {
    p < LEVEL
}

/// What may be said of a mean difference over so many seeds.
pub(super) fn verdict(p: Option<f64>, mean: f64, seeds: usize) -> String {
    match p {
        Some(p) if settles(p) && mean > 0.0 => "better".to_owned(),
        Some(p) if settles(p) => "worse".to_owned(),
        Some(_) => format!("not distinguishable with {seeds} seeds"),
        None if seeds < 2 => "one seed: no interval".to_owned(),
        None => "the seeds do not differ: no interval".to_owned(),
    }
}
