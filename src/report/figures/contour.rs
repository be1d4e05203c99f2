//! Draws the two most important settings together: as a table of colours, or as points at their true values if one has many values.

use std::collections::{BTreeMap, BTreeSet};

use super::plot::{Frame, Plot};
use super::setting::{Setting, declared_logarithmic};
use super::{FigureChapter, FigureKind, FigureSource};
use crate::analysis::{Effects, SearchedAxis, distances, searched};
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, WIDE, fitted};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, MESH, ON_PALE, counted, diverging};
use crate::statistics::summary;
use crate::store::RunRow;
use crate::text::signed;

/// Number of cells on a side of a field, and of colour bands on each side of 0.
const GRID: usize = 28;
const BANDS: f64 = 9.0;
/// Smallest number of points of a field.
const FIELD_POINTS: usize = 12;
/// Edges of the drawn area, in pixels.
const FRAME: Frame = Frame { left: 190, top: 56, right: WIDE - 120, bottom: 356 };

/// One figure; none with fewer than two axes.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Settings, draw: |source| Ok(two_axes(source)?.into_iter().collect()) };

fn two_axes(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let axes = searched(groups);
    let label = groups.first_metric().label;
    let Some((x, y)) = most_important(source.effects, &axes) else { return Ok(None) };
    let measured = distances(groups, groups.first_metric());
    if measured.is_empty() {
        return Ok(None);
    }
    let logarithmic = declared_logarithmic(source.rows);
    let setting = |axis, most| Setting::of(axis, measured.iter().map(|(run, _)| *run), &logarithmic, most);
    let (x, y) = (setting(x, FRAME.ticks_across()), setting(y, FRAME.ticks_upwards()));
    let is_table = !x.has_many_values() && !y.has_many_values();
    let is_field = x.is_numeric() && y.is_numeric() && !is_table;
    let how = match (is_table, is_field) {
        (true, _) => "A cell is the mean over its runs.",
        (_, true) => "A ring is a trial at its values; the colours between rings are interpolated.",
        (_, false) => "A dot is a trial at its values; names are spread a little.",
    };
    let texts = FigureTexts::of(
        groups,
        measured.iter().map(|(run, _)| *run),
        format!("{}interaction", source.prefix),
        &format!("{label} by {} and {}", x.axis.name, y.axis.name),
        &format!("{label}: difference from the mean of the category. {how} Orange is above that mean, blue is below."),
    );
    let title = groups.marked(&format!("{label} by two settings: difference from the category's mean"));
    Figure::draw(texts, (WIDE, FRAME.bottom + 44), |canvas| {
        canvas.title(&title)?;
        let largest =
            if is_table { table(canvas, &measured, &x, &y)? } else { points(canvas, &measured, (&x, &y), is_field)? };
        canvas.text((12, FRAME.top - 18), Anchor::Left, &y.axis.name)?;
        scale(canvas, largest)
    })
    .map(Some)
}

/// Returns the pair with the largest interaction; else the two axes with the largest shares.
fn most_important<'a>(effects: &[Effects], axes: &'a [SearchedAxis]) -> Option<(&'a SearchedAxis, &'a SearchedAxis)> {
    let find = |name: &str| axes.iter().find(|axis| axis.name == name);
    let first = effects.first()?;
    let pair = first.pairs.first().and_then(|pair| Some((find(&pair.axes.0)?, find(&pair.axes.1)?)));
    pair.or_else(|| {
        let mut by_share: Vec<_> = first.axes.iter().collect();
        by_share.sort_by(|a, b| b.share.map_or(0.0, |s| s.mean).total_cmp(&a.share.map_or(0.0, |s| s.mean)));
        Some((find(&by_share.first()?.axis)?, find(&by_share.get(1)?.axis)?))
    })
}

/// Draws one cell per pair of levels. Returns the largest mean.
fn table(
    canvas: &Canvas<'_>,
    measured: &[(&RunRow, f64)],
    x: &Setting<'_>,
    y: &Setting<'_>,
) -> Result<f64, crate::cause::Cause> {
    let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for (run, value) in measured {
        values.entry((x.axis.level(run), y.axis.level(run))).or_default().push(*value);
    }
    let means: BTreeMap<(usize, usize), (f64, usize)> =
        values.into_iter().filter_map(|(at, values)| Some((at, (summary(&values)?.mean, values.len())))).collect();
    let largest = means.values().map(|(mean, _)| mean.abs()).fold(1e-9, f64::max);
    let (columns, rows) = (x.axis.levels.len(), y.axis.levels.len());
    let corner =
        |column: usize, row: usize| (FRAME.x(column as f64 / columns as f64), FRAME.y(row as f64 / rows as f64));
    let has_room = (FRAME.right - FRAME.left) / columns as i32 >= 64 && (FRAME.bottom - FRAME.top) / rows as i32 >= 34;
    for column in 0..columns {
        for row in 0..rows {
            let (lower, upper) = (corner(column, row), corner(column + 1, row + 1));
            let corners = [(lower.0, upper.1), (upper.0 - 1, lower.1 - 1)];
            let (middle_x, middle_y) = ((lower.0 + upper.0) / 2, (lower.1 + upper.1) / 2);
            let names = format!("{} and {}", x.axis.levels[column], y.axis.levels[row]);
            let Some((mean, runs)) = means.get(&(column, row)) else {
                canvas.fill(corners, MESH)?;
                canvas.tooltip_of_cell(corners, &format!("{names}: no run"));
                continue;
            };
            canvas.fill(corners, diverging(mean / largest))?;
            canvas.tooltip_of_cell(corners, &format!("{names}: {} ({})", signed(*mean), counted(*runs, "run")));
            if has_room {
                canvas.text_in(ON_PALE, (middle_x, middle_y - 8), Anchor::Centre, &signed(*mean))?;
                canvas.text_in(ON_PALE, (middle_x, middle_y + 8), Anchor::Centre, &format!("n = {runs}"))?;
            }
        }
    }
    let width = (FRAME.right - FRAME.left) / columns as i32;
    for (column, level) in x.axis.ticks.iter().enumerate() {
        let middle = (corner(column, 0).0 + corner(column + 1, 0).0) / 2;
        canvas.text((middle, FRAME.bottom + 12), Anchor::Centre, &fitted(level, TEXT, width - 4))?;
    }
    for (row, level) in y.axis.ticks.iter().enumerate() {
        let middle = (corner(0, row).1 + corner(0, row + 1).1) / 2;
        canvas.text((FRAME.left - 8, middle), Anchor::Right, &fitted(level, TEXT, FRAME.left - 20))?;
    }
    canvas.text(((FRAME.left + FRAME.right) / 2, FRAME.bottom + 30), Anchor::Centre, &x.axis.name)?;
    Ok(largest)
}

/// Draws trials at their true values, on a field of interpolated values if both settings are numbers. Returns the largest mean.
fn points(
    canvas: &Canvas<'_>,
    measured: &[(&RunRow, f64)],
    (x, y): (&Setting<'_>, &Setting<'_>),
    is_field: bool,
) -> Result<f64, crate::cause::Cause> {
    let trials: BTreeSet<&str> = measured.iter().map(|(run, _)| run.trial_id.as_str()).collect();
    let mut means: Vec<(&RunRow, f64)> = Vec::new();
    for trial in trials {
        let of_trial: Vec<&(&RunRow, f64)> = measured.iter().filter(|(run, _)| run.trial_id == trial).collect();
        let values: Vec<f64> = of_trial.iter().map(|(_, value)| *value).collect();
        means.extend(of_trial.first().and_then(|(run, _)| Some((*run, summary(&values)?.mean))));
    }
    let largest = means.iter().map(|(_, mean)| mean.abs()).fold(1e-9, f64::max);
    let plot = Plot { canvas, frame: FRAME, x: x.places(), y: y.places() };
    if is_field && means.len() >= FIELD_POINTS {
        let both = |(run, mean): &(&RunRow, f64)| Some(((x.applied(run)?, y.applied(run)?), *mean));
        field(canvas, &means.iter().filter_map(both).collect::<Vec<_>>(), largest)?;
    }
    plot.axes("", &x.axis.name)?;
    for (index, (run, mean)) in means.iter().enumerate() {
        let at = plot.at((x.place(run) + x.jitter(index), y.place(run) + y.jitter(index)));
        canvas.dot(at, 5, diverging(mean / largest))?;
        canvas.ring(at, 5, ON_PALE)?;
        canvas.tooltip(at, 6, &format!("{} and {}: {}", x.text(run), y.text(run), signed(*mean)));
    }
    Ok(largest)
}

/// Draws the field. Values between the trials are interpolated by inverse squared distances (Shepard 1968) and put into bands.
/// Neighbouring cells of one band become one rectangle.
fn field(canvas: &Canvas<'_>, points: &[((f64, f64), f64)], largest: f64) -> DrawResult {
    let part = |index: usize| index as f64 / GRID as f64;
    let band = |column: usize, row: usize| -> i64 {
        let (x, y) = (part(column) + 0.5 / GRID as f64, part(row) + 0.5 / GRID as f64);
        let (mut sum, mut weights) = (0.0, 0.0);
        for ((px, py), value) in points {
            let weight = 1.0 / ((x - px).powi(2) + (y - py).powi(2) + 1e-6);
            sum += weight * value;
            weights += weight;
        }
        (sum / weights / largest * BANDS).round() as i64
    };
    for row in 0..GRID {
        let bands: Vec<i64> = (0..GRID).map(|column| band(column, row)).collect();
        let mut from = 0;
        for same in bands.chunk_by(|a, b| a == b) {
            let to = from + same.len();
            let corners = [(FRAME.x(part(from)), FRAME.y(part(row + 1))), (FRAME.x(part(to)), FRAME.y(part(row)))];
            canvas.fill(corners, diverging(same[0] as f64 / BANDS))?;
            from = to;
        }
    }
    Ok(())
}

/// Draws the colour scale with its values, right of the area.
fn scale(canvas: &Canvas<'_>, largest: f64) -> DrawResult {
    const STEPS: i32 = 21;
    let (left, height) = (FRAME.right + 24, (FRAME.bottom - FRAME.top) / STEPS);
    let middle = |step: i32| FRAME.top + step * height + height / 2;
    for step in 0..STEPS {
        let part = 1.0 - 2.0 * f64::from(step) / f64::from(STEPS - 1);
        let corner: Pixel = (left, FRAME.top + step * height);
        canvas.fill([corner, (left + 16, corner.1 + height)], diverging(part))?;
    }
    for (part, step) in [(1.0, 0), (0.0, STEPS / 2), (-1.0, STEPS - 1)] {
        canvas.text((left + 22, middle(step)), Anchor::Left, &signed(part * largest))?;
    }
    Ok(())
}
