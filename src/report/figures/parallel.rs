//! Draws parallel coordinates: one line per trial, through its value on every axis to its result.

use plotters::prelude::Color;

use super::axis::Axis;
use super::range::room;
use super::representative::representative;
use super::setting::{Setting, declared_logarithmic};
use super::{FigureChapter, FigureKind, FigureSource};
use crate::analysis::{Variant, is_point, searched};
use crate::evaluate::Selection;
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, fitted, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, PAPER, ramp};
use crate::report::marks::TrialLine;
use crate::report::values::{Values, number, text};
use crate::statistics::summary;
use crate::store::RunRow;
use crate::text::last_component;

/// Minimum number of axes; with fewer, a slice shows the same.
const FEWEST_AXES: usize = 2;
const MOST_AXES: usize = 7;
/// Maximum number of lines. If there are more trials, only every n-th by rank is drawn.
const MOST_LINES: usize = 300;
/// Position of the axes, distance of the last one from the right edge, and smallest distance of two axes, in pixels.
const LEFT: i32 = 60;
const RIGHT: i32 = 64;
const NARROWEST: i32 = 90;
const TOP: i32 = 84;
const BOTTOM: i32 = 336;
/// Number of ticks on an axis.
const TICKS: usize = 7;

/// One figure; none with fewer than two axes.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Settings, draw: |source| Ok(coordinates(source)?.into_iter().collect()) };

/// A finished trial: one of its runs, and its mean.
struct Trial<'g> {
    run: &'g RunRow,
    mean: f64,
    label: &'g str,
    /// The finished run that it leads to.
    of: Option<&'g str>,
}

fn coordinates(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let mut axes = searched(groups);
    axes.truncate(MOST_AXES);
    let metric = groups.first_metric();
    let label = metric.label;
    let trial = |variant| {
        let runs = || groups.of_variant(variant);
        let values: Vec<f64> = runs().filter_map(|run| groups.value(run, Selection::Selected, metric)).collect();
        let of = representative(groups, variant);
        Some(Trial { run: runs().next()?, mean: summary(&values)?.mean, label: &variant.label, of })
    };
    let is_drawn = |variant: &&Variant| groups.of_variant(variant).any(is_point) && groups.is_finished(variant);
    let mut trials: Vec<Trial<'_>> = groups.variants.iter().filter(is_drawn).filter_map(trial).collect();
    let Some((low, high)) = room(trials.iter().map(|trial| trial.mean)) else { return Ok(None) };
    if axes.len() < FEWEST_AXES || trials.len() < 3 {
        return Ok(None);
    }
    // The best trials come last, so that they are drawn on top.
    trials.sort_by(|a, b| metric.direction.rank(b.mean, a.mean));
    let every = trials.len().div_ceil(MOST_LINES);
    let thinned = if every > 1 { format!(" Only one trial in {every} is drawn, by rank.") } else { String::new() };
    let finished = groups.variants.iter().filter(is_drawn).flat_map(|variant| groups.of_variant(variant));
    let texts = FigureTexts::of(
        groups,
        finished,
        format!("{}parallel", source.prefix),
        &format!("Parallel coordinates of {} trials over {} settings", trials.len(), axes.len()),
        &format!(
            "A line is a finished trial; the right axis is its mean {label}. Brighter lines have better ranks. Axes of numbers are true to \
             scale; names are spread a little.{thinned}"
        ),
    );
    let logarithmic = declared_logarithmic(source.rows);
    let settings: Vec<Setting<'_>> =
        axes.iter().map(|axis| Setting::of(axis, trials.iter().map(|trial| trial.run), &logarithmic, TICKS)).collect();
    let result = Axis::linear(low, high, TICKS);
    let rank = |index: usize| index as f64 / (trials.len() - 1).max(1) as f64;
    let drawn: Vec<(usize, &Trial<'_>)> = trials.iter().enumerate().rev().step_by(every).collect();
    let of_axes = drawn.iter().flat_map(|(_, trial)| {
        settings.iter().map(|setting| [text(trial.label), text(&setting.axis.name), setting.exact(trial.run)])
    });
    let results = drawn.iter().map(|(_, trial)| [text(trial.label), text(label), number(trial.mean)]);
    let values = Values::of(["trial", "axis", "value"], of_axes.chain(results));
    let title = groups.marked("Settings of each trial and its result");
    Figure::of_columns(texts, &title, values, |sheet| {
        let length = sheet.width - LEFT - RIGHT;
        let gap = length / axes.len() as i32;
        if gap < NARROWEST {
            return Ok(None);
        }
        let column = |place: usize| LEFT + length * place as i32 / axes.len() as i32;
        sheet.draw(BOTTOM + 16, |canvas| {
            for (index, trial) in drawn.iter().rev() {
                let places = settings.iter().map(|setting| setting.place(trial.run) + setting.jitter(*index));
                let places = places.chain([result.part(trial.mean)]).enumerate();
                let points: Vec<Pixel> = places.map(|(place, part)| (column(place), height(part))).collect();
                let mean = format!("{:.4}", trial.mean);
                let shown = settings.iter().map(|setting| setting.shown(trial.run)).chain([mean.clone()]);
                canvas.trial(&TrialLine {
                    points: &points,
                    colour: ramp(rank(*index)),
                    name: trial.label,
                    values: &shown.collect::<Vec<_>>(),
                    run: trial.of,
                });
                let end = (column(axes.len()), height(result.part(trial.mean)));
                canvas.tooltip_of_run(end, 4, &format!("{}: {mean}", trial.label), trial.of);
            }
            for (place, setting) in settings.iter().enumerate() {
                let heading = last_component(&setting.axis.name);
                draw_axis(canvas, (column(place), place), heading, gap, &setting.ticks())?;
            }
            let ticks: Vec<(f64, String)> =
                result.ticks.iter().map(|(value, label)| (result.part(*value), label.clone())).collect();
            draw_axis(canvas, (column(axes.len()), axes.len()), label, gap, &ticks)
        })
    })
    .map(Some)
}

/// Returns the height of a share of an axis, in pixels.
fn height(part: f64) -> i32 {
    BOTTOM - (part * f64::from(BOTTOM - TOP)).round() as i32
}

/// Draws an axis with its heading and its numbers, which stand right of it.
fn draw_axis(
    canvas: &Canvas<'_>,
    (x, place): (i32, usize),
    heading: &str,
    gap: i32,
    ticks: &[(f64, String)],
) -> DrawResult {
    canvas.axis(heading, x, (TOP, BOTTOM));
    canvas.line(vec![(x, TOP), (x, BOTTOM)], INK, 1)?;
    // Headings alternate between two heights, because long names of neighbouring axes would overlap.
    let y = if place.is_multiple_of(2) { 46 } else { 66 };
    canvas.text((x, y), Anchor::Centre, &fitted(heading, TEXT, 2 * gap - 16))?;
    for (part, label) in ticks {
        let y = height(*part);
        let label = fitted(label, TEXT, gap - 14);
        canvas.line(vec![(x - 4, y), (x, y)], INK, 1)?;
        canvas.fill([(x + 5, y - 7), (x + 8 + text_width(&label, TEXT), y + 7)], PAPER.mix(0.75))?;
        canvas.text((x + 6, y), Anchor::Left, &label)?;
    }
    Ok(())
}
