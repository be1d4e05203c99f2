//! Draws the results at each value of each setting, whatever the other settings were.

use std::collections::{BTreeMap, BTreeSet};

use plotters::prelude::Color;

use super::axis::Axis;
use super::palette::of_setting;
use super::plot::{Frame, Plot};
use super::range::room;
use super::setting::{Setting, declared_logarithmic};
use super::smooth::smooth;
use super::{FigureChapter, FigureKind, FigureSource};
use crate::analysis::{LevelEffect, distances, levels, searched};
use crate::report::canvas::DrawResult;
use crate::report::canvas::WIDE;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::statistics::summary;
use crate::store::RunRow;
use crate::text::signed;

/// Maximum number of axes in one figure.
const MOST_AXES: usize = 6;
/// Maximum number of dots in one panel. If there are more trials, only every n-th is drawn.
const MOST_DOTS: usize = 600;
/// Height of a panel with its texts, in pixels.
const PANEL: i32 = 196;

/// One panel per axis; no figure if nothing was searched.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Why, draw: |source| Ok(slices(source)?.into_iter().collect()) };

/// A trial with the mean of its runs.
type TrialMean<'r> = (&'r RunRow, f64);

fn slices(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let axes = searched(groups);
    let label = groups.first_metric().label;
    let measured = distances(groups, groups.first_metric());
    if axes.is_empty() || measured.is_empty() {
        return Ok(None);
    }
    let logarithmic = declared_logarithmic(source.rows);
    let trials = trial_means(&measured);
    let every = trials.len().div_ceil(MOST_DOTS);
    let thinned = if every > 1 { format!(" Only one trial in {every} is drawn.") } else { String::new() };
    let shown = &axes[..axes.len().min(MOST_AXES)];
    let texts = FigureTexts::of(
        groups,
        measured.iter().map(|(run, _)| *run),
        format!("{}slices", source.prefix),
        &format!("{label} of all trials by the value of each searched setting"),
        &format!(
            "A dot is a trial: its mean difference in {label} from the mean of its category. Curves are local means with pointwise 95 % \
             bands over trials. Lines at single values are mean effects, with 95 % intervals from five seeds on.{thinned}"
        ),
    );
    let (rows, columns) = (shown.len().div_ceil(2) as i32, shown.len().min(2) as i32);
    Figure::draw(texts, (WIDE, 30 + PANEL * rows), |canvas| {
        canvas.title(&groups.marked(&format!("{label} by setting: difference from the category's mean")))?;
        for (place, axis) in shown.iter().enumerate() {
            let (column, row) = (place as i32 % columns, place as i32 / columns);
            let left = column * (WIDE / columns);
            let top = 30 + row * PANEL;
            let frame =
                Frame { left: left + 66, top: top + 30, right: left + WIDE / columns - 18, bottom: top + PANEL - 40 };
            let setting = Setting::of(axis, measured.iter().map(|(run, _)| *run), &logarithmic, frame.ticks_across());
            let runs: Vec<((&RunRow, f64), usize)> = measured.iter().map(|run| (*run, axis.level(run.0))).collect();
            let effects = levels(axis, &runs);
            let ends = effects.iter().filter_map(|of| of.interval).flat_map(|(low, high)| [low, high]);
            let (low, high) = room(trials.iter().map(|(_, value)| *value).chain(ends)).unwrap_or((0.0, 1.0));
            let y = Axis::linear(low, high, frame.ticks_upwards()).signed();
            let plot = Plot { canvas, frame, x: setting.places(), y };
            panel(&plot, &setting, &trials, every, &effects)?;
        }
        Ok(())
    })
    .map(Some)
}

/// Returns the mean of each trial's runs.
fn trial_means<'r>(measured: &[(&'r RunRow, f64)]) -> Vec<TrialMean<'r>> {
    let mut of_trial: BTreeMap<&str, (&RunRow, Vec<f64>)> = BTreeMap::new();
    for (run, value) in measured {
        of_trial.entry(&run.trial_id).or_insert_with(|| (run, Vec::new())).1.push(*value);
    }
    of_trial.into_values().filter_map(|(run, values)| Some((run, summary(&values)?.mean))).collect()
}

fn panel(
    plot: &Plot<'_, '_>,
    setting: &Setting<'_>,
    trials: &[TrialMean<'_>],
    every: usize,
    effects: &[LevelEffect],
) -> DrawResult {
    plot.axes("", &setting.axis.name)?;
    let zero = [(0.0, 0.0), (1.0, 0.0)];
    plot.curve(&zero, crate::report::figure::MESH, 2)?;
    if setting.is_numeric() && setting.has_many_values() {
        let points: Vec<(f64, f64)> =
            trials.iter().filter_map(|(run, value)| Some((setting.applied(run)?, *value))).collect();
        let curve = smooth(&points);
        if !curve.is_empty() {
            let inside = |value: f64| value.clamp(plot.y.value(0.0), plot.y.value(1.0));
            let upper = curve.iter().map(|(x, mean, half)| (*x, inside(mean + half)));
            let lower = curve.iter().rev().map(|(x, mean, half)| (*x, inside(mean - half)));
            plot.area(&upper.chain(lower).collect::<Vec<_>>(), of_setting().mix(0.18))?;
        }
        dots(plot, setting, trials, every)?;
        return plot.curve(&curve.iter().map(|(x, mean, _)| (*x, *mean)).collect::<Vec<_>>(), INK, 2);
    }
    dots(plot, setting, trials, every)?;
    level_means(plot, setting, trials, effects)
}

fn dots(plot: &Plot<'_, '_>, setting: &Setting<'_>, trials: &[TrialMean<'_>], every: usize) -> DrawResult {
    for (index, (run, value)) in trials.iter().enumerate().step_by(every) {
        let at = plot.at((setting.place(run) + setting.jitter(index), *value));
        plot.canvas.dot(at, 3, of_setting().mix(0.55))?;
        plot.canvas.tooltip(at, 3, &format!("{} = {}: {}", setting.axis.name, setting.text(run), signed(*value)));
    }
    Ok(())
}

/// Draws the effect of each level, as in the table. If runs are missing, plain means would cover different categories and seeds.
fn level_means(
    plot: &Plot<'_, '_>,
    setting: &Setting<'_>,
    trials: &[TrialMean<'_>],
    effects: &[LevelEffect],
) -> DrawResult {
    let levels: BTreeSet<usize> = trials.iter().map(|(run, _)| setting.axis.level(run)).collect();
    for level in levels {
        let Some((run, _)) = trials.iter().find(|(run, _)| setting.axis.level(run) == level) else { continue };
        let of_level = effects.iter().find(|effect| effect.level == setting.axis.levels[level]);
        let Some((mean, interval)) = of_level.and_then(|of| Some((of.effect?, of.interval))) else { continue };
        let x = setting.place(run);
        let (at, half) = (plot.at((x, mean)), (120 / (setting.names().max(4) as i32)).min(16));
        if let Some((low, high)) = interval {
            plot.canvas.interval(plot.at((x, low)), plot.at((x, high)), INK)?;
        }
        plot.canvas.line(vec![(at.0 - half, at.1), (at.0 + half, at.1)], INK, 2)?;
    }
    Ok(())
}
