//! Each variant against the re-run baseline: same category, same seed, one difference a pair.

use super::difference::{self, Differences, adjust};
use super::grouping::{Groups, METRICS, Variant};
use super::statistics::{PairedT, paired_t};

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
        difference::verdict(self.adjusted, self.mean, self.seeds)
    }
}

/// All variants against the baseline; empty where there is no baseline with numbers.
pub(super) fn comparisons(groups: &Groups<'_>) -> Vec<Comparison> {
    let Some(baseline) = groups.baseline() else { return Vec::new() };
    let mut all = Vec::new();
    for metric in METRICS {
        let variants = groups.variants.iter().filter(|variant| !variant.baseline);
        let mut family: Vec<Comparison> = variants.filter_map(|v| compare(groups, baseline, v, metric)).collect();
        adjust(family.iter_mut().map(|comparison| &mut comparison.adjusted));
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
    let categories = groups.categories.iter().map(|(category, _)| category.as_str());
    let differences = Differences::of(categories, |category| (cell(variant, category), cell(baseline, category)))?;
    let count = |test: fn(f64) -> bool| differences.pairs().filter(|(value, other)| test(value - other)).count();
    let test = paired_t(&differences.by_seed);
    Some(Comparison {
        trial: variant.trial.clone(),
        variant: variant.label.clone(),
        categories: differences.categories.len(),
        metric,
        wins_ties_losses: (count(|d| d > 0.0), count(|d| d == 0.0), count(|d| d < 0.0)),
        mean: differences.by_seed.iter().sum::<f64>() / differences.by_seed.len() as f64,
        seeds: differences.by_seed.len(),
        test,
        adjusted: test.map(|test| test.p),
    })
}
