//! What the axes of a search do: how much of the results' variance each has, and where its levels lie.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::axes::{SearchedAxis, runs, searched};
use super::grouping::{Groups, METRICS};
use super::statistics::{Share, fanova, paired_t, summary};
use crate::store::RunRow;

/// The axes' effects on one number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effects {
    /// Name in the store.
    pub metric: &'static str,
    /// Runs with that number.
    pub runs: usize,
    /// Trials that they are of.
    pub trials: usize,
    /// One an axis, in alphabetical order.
    pub axes: Vec<AxisEffect>,
    /// What two axes do together beyond what each does alone, largest first.
    pub pairs: Vec<PairEffect>,
}

/// What one axis does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisEffect {
    /// Dotted name.
    pub axis: String,
    /// Its share of the variance over the space (fANOVA); none where there are too few runs, or nothing differs.
    pub share: Option<Share>,
    /// Its levels.
    pub levels: Vec<LevelEffect>,
}

/// One level of an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelEffect {
    /// Its value, or from which to which.
    pub level: String,
    /// Runs that have it.
    pub runs: usize,
    /// Mean distance from the mean of all runs of the same category.
    pub effect: f64,
    /// 95 % interval: Student's t over seeds, each seed's a mean over its runs.
    pub interval: Option<(f64, f64)>,
}

/// What two axes do together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairEffect {
    /// Dotted names.
    pub axes: (String, String),
    /// Their share of the variance.
    pub share: Share,
}

/// The effects on every number that the tables show; none where nothing was searched.
pub(super) fn effects(groups: &Groups<'_>) -> Vec<Effects> {
    let axes = searched(groups);
    if axes.is_empty() {
        return Vec::new();
    }
    METRICS.par_iter().filter_map(|(metric, _)| effects_on(groups, &axes, metric)).collect()
}

/// The searched runs that have a number, each with its distance from its category's mean: categories differ by more than settings do.
pub(super) fn distances<'r>(groups: &'r Groups<'_>, metric: &str) -> Vec<(&'r RunRow, f64)> {
    let measured: Vec<(&RunRow, f64)> =
        runs(groups).filter_map(|run| Some((run, groups.value(run, "selected", metric)?))).collect();
    let mut of_category: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    measured.iter().for_each(|(run, value)| of_category.entry(&run.category).or_default().push(*value));
    let means: BTreeMap<&str, f64> =
        of_category.into_iter().filter_map(|(category, values)| Some((category, summary(&values)?.mean))).collect();
    measured.into_iter().map(|(run, value)| (run, value - means[run.category.as_str()])).collect()
}

fn effects_on(groups: &Groups<'_>, axes: &[SearchedAxis], metric: &'static str) -> Option<Effects> {
    let measured = distances(groups, metric);
    let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
    let points: Vec<Vec<usize>> =
        measured.iter().map(|(run, _)| axes.iter().map(|axis| axis.level(run)).collect()).collect();
    let mut trials: Vec<&str> = measured.iter().map(|(run, _)| run.trial_id.as_str()).collect();
    trials.sort_unstable();
    trials.dedup();
    if trials.len() < 2 {
        return None;
    }
    let factors: Vec<_> = axes.iter().map(SearchedAxis::factor).collect();
    let found = fanova(&factors, &points, &values, 0);
    let seeds: Vec<i64> = measured.iter().map(|(run, _)| run.seed).collect();
    let of_axis = |(place, axis): (usize, &SearchedAxis)| AxisEffect {
        axis: axis.name.clone(),
        share: found.as_ref().map(|found| found.main[place]),
        levels: (0..axis.levels.len())
            .filter_map(|level| {
                let here = (0..values.len()).filter(|&row| points[row][place] == level);
                level_effect(&axis.levels[level], here.map(|row| (seeds[row], values[row])))
            })
            .collect(),
    };
    let mut pairs: Vec<PairEffect> = found
        .iter()
        .flat_map(|found| &found.pairs)
        .map(|(one, two, share)| PairEffect { axes: (axes[*one].name.clone(), axes[*two].name.clone()), share: *share })
        .collect();
    pairs.sort_by(|a, b| b.share.mean.total_cmp(&a.share.mean));
    let axes = axes.iter().enumerate().map(of_axis).collect();
    Some(Effects { metric, runs: values.len(), trials: trials.len(), axes, pairs })
}

/// From seeds and distances of the runs that have the level; none of no runs.
fn level_effect(level: &str, rows: impl Iterator<Item = (i64, f64)>) -> Option<LevelEffect> {
    let mut by_seed: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    rows.for_each(|(seed, value)| by_seed.entry(seed).or_default().push(value));
    let all: Vec<f64> = by_seed.values().flatten().copied().collect();
    let means: Vec<f64> = by_seed.values().filter_map(|values| Some(summary(values)?.mean)).collect();
    let interval = paired_t(&means).map(|t| (t.low, t.high));
    Some(LevelEffect { level: level.to_owned(), runs: all.len(), effect: summary(&all)?.mean, interval })
}
