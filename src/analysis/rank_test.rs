//! Ranks three or more trials over categories: Friedman's test, then the pairs that Nemenyi's critical difference separates (Demšar 2006).

use std::collections::BTreeSet;

use serde::Serialize;

use super::difference::is_significant;
use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::{FEWEST_SEEDS, Friedman, friedman, rounded, scale};
use crate::text::p_value;

/// The ranks of all compared trials in one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankTest {
    /// The metric.
    pub metric: Metric,
    /// The categories in which all trials have a number with the same seed.
    pub categories: Vec<String>,
    /// Number of complete seeds: all trials have a number in each of the categories. Ranks are of means over these seeds.
    pub seeds: usize,
    /// Label and mean rank of each trial; 1 = best.
    pub mean_ranks: Vec<(String, f64)>,
    /// p-value of "no trial differs" (Iman and Davenport's F).
    pub p: f64,
    /// Two trials differ (5 %) if their mean ranks differ by more than this. Present only if `p` shows that some trials differ.
    pub critical_difference: Option<f64>,
    /// The pairs of trials that differ: better, worse.
    pub apart: Vec<(String, String)>,
}

/// Runs one test per metric. A metric has no test with fewer than three trials or six categories, because ranks then say too little. It
/// also needs five complete seeds, because a seed's initial weights are the same in all categories.
pub fn rank_tests(sides: &[Side], metrics: &[Metric]) -> Vec<RankTest> {
    metrics.iter().filter_map(|metric| rank_test(sides, *metric)).collect()
}

fn rank_test(sides: &[Side], metric: Metric) -> Option<RankTest> {
    let of_category = |category| (category, common_seeds(sides, category, metric));
    let in_common = sides.first()?.categories().into_iter().map(of_category).filter(|(_, seeds)| !seeds.is_empty());
    let (categories, seeds): (Vec<&str>, Vec<BTreeSet<i64>>) = in_common.unzip();
    let complete = seeds
        .into_iter()
        .reduce(|a, b| a.intersection(&b).copied().collect())
        .filter(|seeds| seeds.len() >= FEWEST_SEEDS)?;
    let mean = |side: &Side, category: &str| {
        let of_seeds = side.values(category, metric).into_iter().filter(|(seed, _)| complete.contains(seed));
        of_seeds.map(|(_, value)| value).sum::<f64>() / complete.len() as f64
    };
    let row = |category: &&str| {
        // The highest value gets rank 1.
        let means: Vec<f64> = sides.iter().map(|side| metric.direction.gain(mean(side, category))).collect();
        rounded(&means, scale(means.iter().copied()))
    };
    let Friedman { mean_ranks, p, critical_difference } = friedman(&categories.iter().map(row).collect::<Vec<_>>())?;
    let critical_difference = is_significant(p).then_some(critical_difference);
    let mut apart = Vec::new();
    for (better, one) in sides.iter().zip(&mean_ranks) {
        for (worse, two) in sides.iter().zip(&mean_ranks) {
            if critical_difference.is_some_and(|critical| two - one > critical) {
                apart.push((better.label.clone(), worse.label.clone()));
            }
        }
    }
    Some(RankTest {
        metric,
        categories: categories.into_iter().map(str::to_owned).collect(),
        seeds: complete.len(),
        mean_ranks: sides.iter().map(|side| side.label.clone()).zip(mean_ranks).collect(),
        p,
        critical_difference,
        apart,
    })
}

/// Returns the seeds for which all sides have a number in a category.
fn common_seeds(sides: &[Side], category: &str, metric: Metric) -> BTreeSet<i64> {
    let seeds =
        |side: &Side| side.values(category, metric).into_iter().map(|(seed, _)| seed).collect::<BTreeSet<i64>>();
    sides.iter().map(seeds).reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
}

impl RankTest {
    /// Describes the test and the trials that differ, for people: "Friedman test over 8 categories (…): p = 0.012 …".
    pub fn description(&self) -> String {
        let friedman = format!(
            "Friedman test over {} categories (means of {} seeds, Iman–Davenport F): p {}; rank 1 = {}.",
            self.categories.len(),
            self.seeds,
            p_value(self.p),
            self.metric.direction.best()
        );
        match self.critical_difference {
            None => format!("{friedman} No difference is shown, so no pair is compared."),
            Some(critical) if self.apart.is_empty() => {
                format!(
                    "{friedman} Some trials differ, but no two mean ranks differ by more than the critical difference of {critical:.2} \
                     (Nemenyi, 5 %)."
                )
            }
            Some(critical) => {
                let apart = self.apart.iter().map(|(better, worse)| format!("{better} ranks above {worse}"));
                let apart = apart.collect::<Vec<_>>().join("; ");
                format!(
                    "{friedman} Mean ranks that differ by more than the critical difference of {critical:.2} (Nemenyi, 5 %): {apart}."
                )
            }
        }
    }
}
