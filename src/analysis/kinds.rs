//! Kinds of defects, as the results of a sweep name them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::evaluate::ResultName;
use crate::evaluate::metrics::Metric;
use crate::store::{ResultRow, RunRow};

/// What was measured on which kinds of defects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kinds {
    /// The metrics that have a value of some kind, in their order.
    pub metrics: Vec<Metric>,
    /// The kinds of each category, in alphabetical order.
    pub of: BTreeMap<String, BTreeSet<String>>,
}

impl Kinds {
    /// Collects the kinds that these results name. `metrics` are those that a report shows.
    pub(crate) fn of(results: &[ResultRow], runs: &[RunRow], metrics: &[Metric]) -> Self {
        let category: HashMap<&str, &str> = runs.iter().map(|run| (run.id.as_str(), run.category.as_str())).collect();
        let mut found = Self::default();
        let mut measured: Vec<Metric> = Vec::new();
        for row in results {
            let (ResultName::OfKind(metric, kind), Some(category)) = (&row.name, category.get(row.run_id.as_str()))
            else {
                continue;
            };
            if !measured.contains(metric) {
                measured.push(*metric);
            }
            found.of.entry((*category).to_owned()).or_default().insert(kind.clone());
        }
        found.metrics = metrics.iter().copied().filter(|metric| measured.contains(metric)).collect();
        found
    }

    /// Returns the kinds that all these categories have; nothing unless there are several categories.
    pub(crate) fn shared(&self, categories: &[&str]) -> BTreeSet<String> {
        let mut all = categories.iter().map(|category| self.of.get(*category).cloned().unwrap_or_default());
        let first = all.next().filter(|_| categories.len() > 1).unwrap_or_default();
        all.fold(first, |shared, kinds| shared.intersection(&kinds).cloned().collect())
    }
}
