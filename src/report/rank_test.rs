//! Three or more trials over categories: Friedman's test, and which of them Nemenyi's critical difference tells apart (Demšar 2006).

use std::collections::BTreeSet;

use serde::Serialize;

use super::grouping::METRICS;
use super::side::Side;
use super::statistics::{Friedman, friedman};

/// The ranks of all compared trials in one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankTest {
    /// Name in the store.
    pub metric: &'static str,
    /// The categories that all trials have, with seeds in common.
    pub categories: Vec<String>,
    /// Label and mean rank of each trial; 1 = highest values.
    pub mean_ranks: Vec<(String, f64)>,
    /// p-value of "no trial differs".
    pub p: f64,
    /// Two trials differ (5 %) if their mean ranks are farther apart than this.
    pub critical_difference: f64,
    /// The pairs that are: better, worse.
    pub apart: Vec<(String, String)>,
}

/// One test a metric; none with fewer than three trials or six categories, where ranks say too little.
pub fn rank_tests(sides: &[Side]) -> Vec<RankTest> {
    METRICS.iter().filter_map(|(metric, _)| rank_test(sides, metric)).collect()
}

fn rank_test(sides: &[Side], metric: &'static str) -> Option<RankTest> {
    let mut rows = Vec::new();
    let mut categories = Vec::new();
    for category in sides.first()?.categories() {
        if let Some(means) = means(sides, category, metric) {
            rows.push(means);
            categories.push(category.to_owned());
        }
    }
    let Friedman { mean_ranks, p, critical_difference } = friedman(&rows)?;
    let mut apart = Vec::new();
    for (better, one) in sides.iter().zip(&mean_ranks) {
        for (worse, two) in sides.iter().zip(&mean_ranks) {
            if two - one > critical_difference {
                apart.push((better.label.clone(), worse.label.clone()));
            }
        }
    }
    let mean_ranks = sides.iter().map(|side| side.label.clone()).zip(mean_ranks).collect();
    Some(RankTest { metric, categories, mean_ranks, p, critical_difference, apart })
}

/// Each side's mean over the seeds that all of them have.
fn means(sides: &[Side], category: &str, metric: &str) -> Option<Vec<f64>> {
    let values: Vec<Vec<(i64, f64)>> = sides.iter().map(|side| side.values(category, metric)).collect();
    let seeds = |values: &[(i64, f64)]| values.iter().map(|(seed, _)| *seed).collect::<BTreeSet<i64>>();
    let common = values.iter().map(|values| seeds(values)).reduce(|a, b| a.intersection(&b).copied().collect())?;
    if common.is_empty() {
        return None;
    }
    let mean = |values: &Vec<(i64, f64)>| {
        values.iter().filter(|(seed, _)| common.contains(seed)).map(|(_, value)| value).sum::<f64>()
            / common.len() as f64
    };
    Some(values.iter().map(mean).collect())
}
