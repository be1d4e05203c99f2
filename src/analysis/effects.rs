//! Effects of a search's axes: each axis' share of the results' variance, and the effect of each level.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::axes::{SearchedAxis, runs, searched};
use super::grouping::Groups;
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::statistics::{
    Estimate, ImageVariance, Range, Share, complete_means, fanova, pooled_deviation, rounded, scale, shares_by_chance,
    summary,
};
use crate::store::{RunRow, RunState};

/// Effects of the axes on one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effects {
    /// The metric.
    pub metric: Metric,
    /// Number of runs with a value of this metric.
    pub runs: usize,
    /// Number of trials that these runs belong to.
    pub trials: usize,
    /// Share of the variance between seeds with the same settings and category; no setting explains it. `None` if no two runs differ only
    /// in the seed.
    pub seeds_share: Option<f64>,
    /// Levels of axes without a value of this metric. If there are any, no shares of the variance are computed: they describe the whole
    /// space.
    pub unmeasured: Vec<UnmeasuredLevel>,
    /// One entry per axis, in alphabetical order.
    pub axes: Vec<AxisEffect>,
    /// Effects of two axes beyond what each does alone (interactions), largest first.
    pub pairs: Vec<PairEffect>,
}

/// A level of which no run has a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmeasuredLevel {
    /// Dotted name of the axis.
    pub axis: String,
    /// Its value, or its first and last value for a group.
    pub level: String,
    /// Whether a run of it is finished: the metric is then undefined.
    pub finished: bool,
}

/// Effect of one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisEffect {
    /// Dotted name of the axis.
    pub axis: String,
    /// Its share of the variance over the space (fANOVA); `None` if there are too few runs, if no values differ, or if a level of any axis is
    /// unmeasured.
    pub share: Option<Share>,
    /// The share that an axis without an effect would exceed once in twenty times. It comes from shuffling the axis' levels among trials
    /// and is not adjusted.
    pub by_chance: Option<f64>,
    /// Whether its values were drawn from a range, so that they are no levels.
    pub continuous: bool,
    /// Effects of its levels; empty if it is continuous, or if fewer than two levels are measured.
    pub levels: Vec<LevelEffect>,
}

/// Effect of one level of an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelEffect {
    /// Its value, or its first and last value for a group.
    pub level: String,
    /// Number of runs that the effect is computed from.
    pub runs: usize,
    /// Mean difference from the mean of all levels with the same category and seed; `None` if no category and seed has all levels.
    pub effect: Option<f64>,
    /// 95 % confidence interval: Student's t over seeds, where each seed is a mean over its categories; `None` with fewer than five seeds.
    pub interval: Option<(f64, f64)>,
}

/// Interaction of two axes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairEffect {
    /// Dotted names of the two axes.
    pub axes: (String, String),
    /// Their share of the variance.
    pub share: Share,
    /// The share by chance, computed as in [`AxisEffect::by_chance`].
    pub by_chance: Option<f64>,
}

/// Computes the effects on every metric that the tables show. Returns an empty list if nothing was searched.
pub(crate) fn effects(groups: &Groups<'_>) -> Vec<Effects> {
    let axes = searched(groups);
    if axes.is_empty() {
        return Vec::new();
    }
    groups.metrics.par_iter().filter_map(|metric| effects_on(groups, &axes, *metric)).collect()
}

/// Returns the searched runs that have a number, each with its distance from its category's mean, because categories differ more than
/// settings do. Distances that differ only by rounding are made equal.
pub(crate) fn distances<'r>(groups: &'r Groups<'_>, metric: Metric) -> Vec<(&'r RunRow, f64)> {
    let measured: Vec<(&RunRow, f64)> =
        runs(groups).filter_map(|run| Some((run, groups.value(run, Selection::Selected, metric)?))).collect();
    let mut of_category: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    measured.iter().for_each(|(run, value)| of_category.entry(&run.category).or_default().push(*value));
    let means: BTreeMap<&str, f64> =
        of_category.into_iter().filter_map(|(category, values)| Some((category, summary(&values)?.mean))).collect();
    let distances: Vec<f64> = measured.iter().map(|(run, value)| value - means[run.category.as_str()]).collect();
    let distances = rounded(&distances, scale(measured.iter().map(|(_, value)| *value)));
    measured.into_iter().map(|(run, _)| run).zip(distances).collect()
}

fn effects_on(groups: &Groups<'_>, axes: &[SearchedAxis], metric: Metric) -> Option<Effects> {
    let measured = distances(groups, metric);
    let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
    let points: Vec<Vec<usize>> =
        measured.iter().map(|(run, _)| axes.iter().map(|axis| axis.level(run)).collect()).collect();
    let mut trials: Vec<&str> = measured.iter().map(|(run, _)| run.trial_id.as_str()).collect();
    trials.sort_unstable();
    trials.dedup();
    let unmeasured = unmeasured(groups, axes, &points);
    if trials.is_empty() || trials.len() < 2 && unmeasured.is_empty() {
        return None;
    }
    let of_trial = |(run, _): &(&RunRow, f64)| trials.partition_point(|trial| *trial < run.trial_id.as_str());
    let trial_of: Vec<usize> = measured.iter().map(of_trial).collect();
    let factors: Vec<_> = axes.iter().map(SearchedAxis::factor).collect();
    let shares = unmeasured.is_empty().then(|| fanova(&factors, &points, &values, 0)).flatten();
    let chance = shares.as_ref().and_then(|_| shares_by_chance(&factors, &points, &values, &trial_of, 0));
    let of_axis = |(index, axis): (usize, &SearchedAxis)| AxisEffect {
        axis: axis.name.clone(),
        share: shares.as_ref().map(|shares| shares.main[index]),
        by_chance: chance.as_ref().map(|chance| chance.main[index]),
        continuous: axis.continuous,
        levels: match axis.continuous {
            true => Vec::new(),
            false => levels_within(
                axis,
                &measured.iter().zip(&points).map(|(run, point)| (*run, point[index])).collect::<Vec<_>>(),
                metric.range,
            ),
        },
    };
    let mut pairs: Vec<PairEffect> = shares
        .iter()
        .flat_map(|shares| shares.pairs.iter().enumerate())
        .map(|(index, (one, two, share))| PairEffect {
            axes: (axes[*one].name.clone(), axes[*two].name.clone()),
            share: *share,
            by_chance: chance.as_ref().map(|chance| chance.pairs[index]),
        })
        .collect();
    pairs.sort_by(|a, b| b.share.mean.total_cmp(&a.share.mean));
    let axes = axes.iter().enumerate().map(of_axis).collect();
    Some(Effects {
        metric,
        runs: values.len(),
        trials: trials.len(),
        seeds_share: seeds_share(&measured),
        unmeasured,
        axes,
        pairs,
    })
}

/// Returns the levels that none of the measured `points` has.
fn unmeasured(groups: &Groups<'_>, axes: &[SearchedAxis], points: &[Vec<usize>]) -> Vec<UnmeasuredLevel> {
    let mut all = Vec::new();
    for (index, axis) in axes.iter().enumerate() {
        let mut is_measured = vec![false; axis.levels.len()];
        points.iter().for_each(|point| is_measured[point[index]] = true);
        let missing: Vec<usize> = (0..axis.levels.len()).filter(|level| !is_measured[*level]).collect();
        if missing.is_empty() {
            continue;
        }
        let done = runs(groups).filter(|run| run.state == RunState::Done);
        let finished: BTreeSet<usize> = done.map(|run| axis.level(run)).collect();
        all.extend(missing.into_iter().map(|level| UnmeasuredLevel {
            axis: axis.name.clone(),
            level: axis.levels[level].clone(),
            finished: finished.contains(&level),
        }));
    }
    all
}

/// Returns the variance between runs that differ only in the seed, as a share of the variance within categories.
fn seeds_share(measured: &[(&RunRow, f64)]) -> Option<f64> {
    let deviation = |cell: &dyn Fn(&RunRow) -> (String, String)| {
        let mut cells: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        measured.iter().for_each(|(run, value)| cells.entry(cell(run)).or_default().push(*value));
        pooled_deviation(&cells.into_values().collect::<Vec<_>>())
    };
    let of_seeds = deviation(&|run| (run.trial_id.clone(), run.category.clone()))?;
    let of_categories = deviation(&|run| (String::new(), run.category.clone()))?;
    (of_categories > 0.0).then(|| (of_seeds / of_categories).powi(2).min(1.0))
}

/// Computes the effects of an axis' levels for a figure without intervals, as [`levels_within`] does.
pub(crate) fn levels(axis: &SearchedAxis, runs: &[((&RunRow, f64), usize)]) -> Vec<LevelEffect> {
    levels_within(axis, runs, Range::UNBOUNDED)
}

/// Computes the effects of an axis' levels from runs with their distances and levels. Only categories and seeds with a run of every level
/// count. So the effects of all levels cover the same seeds and sum to 0. A single level has no effect. `values` are what the metric can be.
fn levels_within(axis: &SearchedAxis, runs: &[((&RunRow, f64), usize)], values: Range) -> Vec<LevelEffect> {
    let present: BTreeSet<usize> = runs.iter().map(|(_, level)| *level).collect();
    let mut cells: BTreeMap<(&str, i64), BTreeMap<usize, Vec<f64>>> = BTreeMap::new();
    for ((run, value), level) in runs {
        cells.entry((&run.category, run.seed)).or_default().entry(*level).or_default().push(*value);
    }
    if present.len() < 2 {
        return Vec::new();
    }
    cells.retain(|_, of_levels| of_levels.len() == present.len());
    let categories: BTreeSet<&str> = cells.keys().map(|(category, _)| *category).collect();
    let range = values.of_distances(present.len());
    let size = scale(runs.iter().map(|((_, value), _)| *value));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let of_level = |level: usize| {
        let distances: Vec<Vec<(i64, f64)>> = categories
            .iter()
            .map(|category| {
                let of_category = cells.iter().filter(|((name, _), _)| name == category);
                of_category
                    .map(|((_, seed), of_levels)| {
                        let means: Vec<f64> = of_levels.values().map(|values| mean(values)).collect();
                        (*seed, mean(&of_levels[&level]) - mean(&means))
                    })
                    .collect()
            })
            .collect();
        let (seeds, by_seed): (BTreeSet<i64>, Vec<f64>) = complete_means(&distances).into_iter().unzip();
        let counted = cells.iter().filter(|((_, seed), _)| seeds.contains(seed));
        LevelEffect {
            level: axis.levels[level].clone(),
            runs: counted.map(|(_, of_levels)| of_levels[&level].len()).sum(),
            effect: summary(&by_seed).map(|summary| summary.mean),
            interval: Estimate::of(&by_seed, size, ImageVariance::NONE, range).map(|estimate| estimate.interval()),
        }
    };
    present.iter().map(|level| of_level(*level)).collect()
}
