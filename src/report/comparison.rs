//! Each variant against the re-run baseline: same category, same seed, one difference a pair.

use super::grouping::{Groups, METRICS, Variant, complete_means};
use super::statistics::{PairedT, holm, paired_t};

/// One variant against ST-FPM in one metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    /// The trial's key.
    pub trial: String,
    /// The variant's label.
    pub variant: String,
    /// For people.
    pub metric: &'static str,
    /// Pairs that differ upwards, not at all, downwards.
    pub wins_ties_losses: (usize, usize, usize),
    /// Mean difference over seeds, each seed's a mean over categories.
    pub mean: f64,
    /// Seeds compared.
    pub seeds: usize,
    /// Categories in which both have a number.
    pub categories: usize,
    /// How sure that is; none of one seed, or where seeds agree to the last digit.
    pub test: Option<PairedT>,
    /// The p-value, adjusted over all variants of this metric (Holm).
    pub adjusted: Option<f64>,
}

impl Comparison {
    /// What may be said.
    pub(super) fn verdict(&self) -> String {
        match (self.adjusted, self.test) {
            (Some(p), _) if p < 0.05 && self.mean > 0.0 => "better".to_owned(),
            (Some(p), _) if p < 0.05 => "worse".to_owned(),
            (Some(_), Some(test)) => format!("not distinguishable with {} seeds", test.count),
            _ if self.seeds < 2 => "one seed: no interval".to_owned(),
            _ => "the seeds do not differ: no interval".to_owned(),
        }
    }
}

/// All variants against the baseline; empty where there is no baseline with numbers.
pub(super) fn comparisons(groups: &Groups<'_>) -> Vec<Comparison> {
    let Some(baseline) = groups.baseline() else { return Vec::new() };
    let mut all = Vec::new();
    for metric in METRICS {
        let variants = groups.variants.iter().filter(|variant| !variant.baseline);
        let mut family: Vec<Comparison> = variants.filter_map(|v| compare(groups, baseline, v, metric)).collect();
        let p_values: Vec<f64> = family.iter().filter_map(|c| c.test.map(|test| test.p)).collect();
        let tested = family.iter_mut().filter(|comparison| comparison.test.is_some());
        tested.zip(holm(&p_values)).for_each(|(comparison, p)| comparison.adjusted = Some(p));
        all.extend(family);
    }
    all
}

fn compare(
    groups: &Groups<'_>,
    baseline: &Variant,
    variant: &Variant,
    (name, metric): (&'static str, &'static str),
) -> Option<Comparison> {
    let cell = |variant, category: &str| groups.cell(variant, category, "selected", name);
    let pairs_of = |category: &str| -> Vec<(i64, f64)> {
        let reference = cell(baseline, category);
        let of_seed = |seed| reference.iter().find(move |(known, _)| *known == seed).map(|(_, value)| *value);
        cell(variant, category).into_iter().filter_map(|(seed, value)| Some((seed, value - of_seed(seed)?))).collect()
    };
    // A category without a number on one side (no mask, a failed run) is left out, and counted in the table.
    let by_category: Vec<Vec<(i64, f64)>> = groups.categories.iter().map(|(category, _)| pairs_of(category)).collect();
    let by_category: Vec<_> = by_category.into_iter().filter(|pairs| !pairs.is_empty()).collect();
    let pairs: Vec<f64> = by_category.iter().flatten().map(|(_, difference)| *difference).collect();
    let means: Vec<f64> = complete_means(&by_category).into_iter().map(|(_, mean)| mean).collect();
    if means.is_empty() {
        return None;
    }
    let count = |test: fn(f64) -> bool| pairs.iter().filter(|difference| test(**difference)).count();
    Some(Comparison {
        trial: variant.trial.clone(),
        variant: variant.label.clone(),
        categories: by_category.len(),
        metric,
        wins_ties_losses: (count(|d| d > 0.0), count(|d| d == 0.0), count(|d| d < 0.0)),
        mean: means.iter().sum::<f64>() / means.len() as f64,
        seeds: means.len(),
        test: paired_t(&means),
        adjusted: None,
    })
}
