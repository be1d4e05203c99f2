//! Differences from a reference in each category: which categories gain, which lose, and whether they differ among each other.

use serde::Serialize;

use super::side::Side;
use super::verdict::{Verdict, compare_categories};
use crate::evaluate::metrics::Metric;
use crate::statistics::{Repeated, repeated};

/// The verdicts of one metric in one category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryVerdicts {
    /// Name of the category.
    pub category: String,
    /// One verdict per variant. p is adjusted over the variants and categories of the metric (Holm).
    pub verdicts: Vec<Verdict>,
}

/// The verdicts of one metric by category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByCategory {
    /// The metric.
    pub metric: Metric,
    /// The categories that have complete seeds, in alphabetical order.
    pub categories: Vec<CategoryVerdicts>,
    /// Per variant, by label: whether its difference depends on the category.
    pub heterogeneity: Vec<(String, Option<Repeated>)>,
}

/// Compares each side with the reference in each category. Returns an empty list for fewer than two categories.
pub fn by_category(reference: &Side, others: &[&Side], metrics: &[Metric]) -> Vec<ByCategory> {
    if reference.categories().len() < 2 {
        return Vec::new();
    }
    let of_metric = |&metric: &Metric| ByCategory {
        metric,
        categories: compare_categories(reference, others, metric)
            .into_iter()
            .map(|(category, verdicts)| CategoryVerdicts { category, verdicts })
            .collect(),
        heterogeneity: others.iter().map(|side| (side.label.clone(), heterogeneity(reference, side, metric))).collect(),
    };
    metrics.iter().map(of_metric).collect()
}

/// Tests whether the paired differences of complete seeds depend on the category. Each seed is a block: its initial weights are the same in all
/// categories.
fn heterogeneity(reference: &Side, side: &Side, metric: Metric) -> Option<Repeated> {
    let differences = super::difference::Differences::between(side, reference, metric)?;
    let seeds = differences.by_seed.len();
    let of_seed = |seed: usize| -> Option<Vec<f64>> {
        differences.categories.iter().map(|(_, pairs)| pairs.get(seed).map(|(_, one, other)| one - other)).collect()
    };
    repeated(&(0..seeds).map(of_seed).collect::<Option<Vec<_>>>()?)
}

impl ByCategory {
    /// Returns the variant with the best mean difference in a category, if it is better than the reference there.
    pub fn winner<'v>(&self, of: &'v CategoryVerdicts) -> Option<&'v Verdict> {
        let best = of.verdicts.iter().max_by(|one, other| one.gain().total_cmp(&other.gain()))?;
        (best.gain() > 0.0).then_some(best)
    }
}
