//! Draws differences with their intervals: of each variant from ST-FPM, and of each level of an axis from the mean of all its levels.

use super::dots::{DotRow, Dots, Mark, Shape};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Effects, Groups, Verdict};
use crate::evaluate::metrics::{Direction, Metric};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, first_of, series};
use crate::text::last_component;

/// Maximum number of rows of one figure; tables show all.
const MOST_ROWS: usize = 24;

/// Every variant compared with ST-FPM; no figure if nothing is compared.
pub(super) const VARIANTS: FigureKind = FigureKind {
    chapter: FigureChapter::Ablation,
    draw: |source| Ok(variants(source.comparisons, source.groups, source.prefix)?.into_iter().collect()),
};

fn variants(comparisons: &[Verdict], groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let compared = groups.variants.iter().enumerate().filter(|(_, variant)| !variant.baseline);
    let mark = |verdict: &Verdict| Mark { value: verdict.difference, interval: verdict.interval, shape: Shape::Dot };
    let marks = |metric: Metric, of: &dyn Fn(&Verdict) -> bool| -> Vec<Mark> {
        comparisons.iter().filter(|verdict| verdict.metric == metric && of(verdict)).map(mark).collect()
    };
    let rows = compared.map(|(index, variant)| DotRow {
        label: variant.label.clone(),
        colour: series(index),
        marks: groups
            .metrics
            .iter()
            .map(|metric| marks(*metric, &|verdict| verdict.belongs_to(&variant.trial, &variant.label)))
            .collect(),
    });
    let rows: Vec<DotRow> = rows.take(MOST_ROWS).collect();
    let all = groups.variants.iter().filter(|variant| !variant.baseline).count();
    let rest = first_of(MOST_ROWS, all, "variants");
    let lower = groups.metrics.iter().any(|metric| metric.direction == Direction::Lower);
    let left = if lower { " (left where lower is better)" } else { "" };
    let title = format!("paired difference from ST-FPM with 95 % CI; right of the line is better{left}{rest}");
    Dots { title, reference: Some(0.0), rows }.figure(
        groups,
        format!("{prefix}forest"),
        "Mean paired difference of each variant from ST-FPM, with 95 % confidence intervals, by metric",
    )
}

/// Every level of every axis compared with the mean of all levels; no figure if nothing was searched.
pub(super) const LEVELS: FigureKind = FigureKind {
    chapter: FigureChapter::Ablation,
    draw: |source| Ok(levels(source.effects, source.groups, source.prefix)?.into_iter().collect()),
};

fn levels(effects: &[Effects], groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let Some(first) = effects.first() else { return Ok(None) };
    let of = |metric: Metric, axis: usize, level: &str| -> Vec<Mark> {
        let effects = effects.iter().filter(|effects| effects.metric == metric);
        let levels = effects.flat_map(|effects| &effects.axes[axis].levels).filter(|of| of.level == level);
        levels.filter_map(|of| Some(Mark { value: of.effect?, interval: of.interval, shape: Shape::Dot })).collect()
    };
    let rows = first.axes.iter().enumerate().flat_map(|(place, axis)| {
        axis.levels.iter().map(move |level| DotRow {
            label: format!("{} = {}", last_component(&axis.axis), level.level),
            colour: series(place),
            marks: groups.metrics.iter().map(|metric| of(*metric, place, &level.level)).collect(),
        })
    });
    let mut rows: Vec<DotRow> = rows.collect();
    let rest = first_of(MOST_ROWS, rows.len(), "levels");
    rows.truncate(MOST_ROWS);
    let title = format!("effect of each setting: mean difference from the mean of all its levels, with 95 % CI{rest}");
    Dots { title, reference: Some(0.0), rows }.figure(
        groups,
        format!("{prefix}levels"),
        "Effect of each level of each searched setting, with 95 % confidence intervals, by metric",
    )
}
