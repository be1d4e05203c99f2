//! Draws differences with their intervals: of each variant from ST-FPM, and of each level of an axis from the mean of all its levels.

use super::effect_rows::{EffectPanel, EffectRow, effect_figure};
use super::kind::FigureSource;
use super::palette::{Palette, of_setting};
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::analysis::{Differences, Effects, FEWEST_SEEDS, Groups, Side, Verdict, searched};
use crate::config::BASELINE;
use crate::evaluate::metrics::{Direction, Metric};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};
use crate::text::{counted, last_component, p_value, signed};

/// Maximum number of rows of one panel; tables show all.
const MOST_ROWS: usize = 24;

/// Maximum number of levels of a setting. Settings with more are numbers, which slices show at their values.
const MOST_LEVELS: usize = 8;

/// Every variant compared with ST-FPM; no figure if nothing is compared.
pub(super) const VARIANTS: FigureKind =
    FigureKind { chapter: FigureChapter::Effect, draw: |source| Ok(variants(source)?.into_iter().collect()) };

fn variants(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else { return Ok(None) };
    let palette = Palette::of(groups);
    let compared: Vec<usize> =
        (0..groups.variants.len()).filter(|index| !groups.variants[*index].baseline).take(MOST_ROWS).collect();
    let panel = |metric: Metric| -> Option<EffectPanel<'_>> {
        let verdict = |index: usize| {
            let variant = &groups.variants[index];
            let belongs =
                |verdict: &&Verdict| verdict.metric == metric && verdict.belongs_to(&variant.trial, &variant.label);
            source.comparisons.iter().find(belongs)
        };
        let rows: Vec<EffectRow<'_>> = compared
            .iter()
            .filter_map(|index| {
                let sides = (&source.sides[*index], &source.sides[baseline]);
                let run = representative(groups, &groups.variants[*index]);
                Some(EffectRow { run, ..row(verdict(*index)?, sides, palette.colour(*index)) })
            })
            .collect();
        (!rows.is_empty()).then(|| EffectPanel {
            metric: metric.label,
            heading: metric.label.to_owned(),
            rows,
            axis: axis_name(metric),
            zero: BASELINE.to_owned(),
            numbers: "difference [95 % CI], p".to_owned(),
        })
    };
    let panels: Vec<EffectPanel<'_>> = groups.metrics.iter().filter_map(|metric| panel(*metric)).collect();
    let few = source.comparisons.iter().any(|verdict| verdict.seeds < FEWEST_SEEDS);
    let explanation = if few {
        format!(
            "With fewer than {FEWEST_SEEDS} seeds there is no interval: dots are seeds, and the short line is their mean."
        )
    } else {
        "Lines are 95 % confidence intervals over seeds; p is adjusted over the variants (Holm).".to_owned()
    };
    let drawn = compared.iter().chain([&baseline]).flat_map(|index| groups.of_variant(&groups.variants[*index]));
    let texts = FigureTexts::of(
        groups,
        drawn,
        format!("{}forest", source.prefix),
        "Mean paired difference of each variant from ST-FPM, with 95 % confidence intervals, by metric",
        &format!("Paired difference of each variant from ST-FPM, with the same category and seed. {explanation}"),
    );
    effect_figure(&groups.marked("Difference from ST-FPM"), "variant", &panels, texts)
}

/// Returns the row of one comparison, which leads to no run yet.
fn row(verdict: &Verdict, (side, baseline): (&Side, &Side), colour: plotters::prelude::RGBColor) -> EffectRow<'static> {
    let seeds = Differences::between(side, baseline, verdict.metric).map(|differences| differences.by_seed);
    let numbers = match (verdict.interval, verdict.p) {
        (Some((low, high)), Some(p)) => {
            format!("{} [{}, {}], p {}", signed(verdict.difference), signed(low), signed(high), p_value(p))
        }
        (Some((low, high)), None) => format!("{} [{}, {}]", signed(verdict.difference), signed(low), signed(high)),
        (None, _) if verdict.seeds < FEWEST_SEEDS => {
            format!("{}, too few seeds ({})", signed(verdict.difference), verdict.seeds)
        }
        (None, _) => format!("{}, no test", signed(verdict.difference)),
    };
    EffectRow {
        label: verdict.variant.clone(),
        colour,
        difference: Some(verdict.difference),
        interval: verdict.interval,
        seeds: seeds.unwrap_or_default(),
        p: verdict.p,
        numbers,
        run: None,
    }
}

fn axis_name(metric: Metric) -> String {
    match metric.direction {
        Direction::Higher => "difference; right is better".to_owned(),
        Direction::Lower => "difference; left is better".to_owned(),
    }
}

/// Every level of every axis compared with the mean of all levels; no figure if nothing was searched.
pub(super) const LEVELS: FigureKind = FigureKind {
    chapter: FigureChapter::Settings,
    draw: |source| Ok(levels(source.effects, source.groups, source.prefix)?.into_iter().collect()),
};

fn levels(effects: &[Effects], groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let panels: Vec<EffectPanel<'_>> = effects.iter().filter_map(levels_on).collect();
    let axes = searched(groups);
    let drawn = groups.all().filter(|run| crate::analysis::is_point(run) && !axes.is_empty());
    let texts = FigureTexts::of(
        groups,
        drawn,
        format!("{prefix}levels"),
        "Effect of each level of each searched setting, with 95 % confidence intervals, by metric",
        &format!(
            "Mean difference of each level from the mean of all levels of its setting. Lines are 95 % confidence intervals; they need \
             {FEWEST_SEEDS} seeds."
        ),
    );
    effect_figure(&groups.marked("Effect of each level of each setting"), "level", &panels, texts)
}

/// Returns the panel of one metric; `None` if no level has an effect.
fn levels_on(effects: &Effects) -> Option<EffectPanel<'static>> {
    let few = effects.axes.iter().filter(|axis| axis.levels.len() <= MOST_LEVELS);
    let rows = few.flat_map(|axis| {
        axis.levels.iter().map(move |level| {
            let numbers = match (level.effect, level.interval) {
                (Some(effect), Some((low, high))) => {
                    format!("{} [{}, {}]", signed(effect), signed(low), signed(high))
                }
                (Some(effect), None) => format!("{}, {}", signed(effect), counted(level.runs, "run")),
                (None, _) => "no seed has all levels".to_owned(),
            };
            EffectRow {
                label: format!("{} = {}", last_component(&axis.axis), level.level),
                colour: of_setting(),
                difference: level.effect,
                interval: level.interval,
                seeds: Vec::new(),
                p: None,
                numbers,
                run: None,
            }
        })
    });
    let mut rows: Vec<EffectRow<'_>> = rows.collect();
    let all = rows.len();
    rows.truncate(MOST_ROWS);
    let heading = if all > MOST_ROWS {
        format!("{} (first {MOST_ROWS} of {all})", effects.metric.label)
    } else {
        effects.metric.label.to_owned()
    };
    rows.iter().any(|row| row.difference.is_some()).then(|| EffectPanel {
        metric: effects.metric.label,
        heading,
        rows,
        axis: axis_name(effects.metric),
        zero: "mean of all levels".to_owned(),
        numbers: "effect [95 % CI]".to_owned(),
    })
}
