//! Draws the two most important settings together: as a table of colours, or as points at their true values if one has many values.

use std::collections::BTreeMap;

use super::plot::{Frame, Plot};
use super::setting::{ANY_TICKS, Setting, declared_logarithmic};
use super::trial_means::{TrialMean, trial_means};
use super::{FigureChapter, FigureKind, FigureSource};
use crate::analysis::{Effects, SearchedAxis, distances, searched};
use crate::export::Value;
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, fitted};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, MESH, ON_PALE, diverging};
use crate::report::table::count_value;
use crate::report::values::{Values, number, text};
use crate::statistics::summary;
use crate::store::RunRow;
use crate::text::{counted, signed};

/// Number of cells on a side of a field, and of colour bands on each side of 0.
const GRID: usize = 28;
const BANDS: f64 = 9.0;
/// Smallest number of points of a field.
const FIELD_POINTS: usize = 12;
/// Edges of the drawn area, and its distance from the right edge, in pixels.
const TOP: i32 = 56;
const BOTTOM: i32 = 356;
const LEFT: std::ops::RangeInclusive<i32> = 100..=190;
const SCALE: i32 = 114;

/// One figure; none with fewer than two axes.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Settings, draw: |source| Ok(two_axes(source)?.into_iter().collect()) };

fn two_axes(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let axes = searched(groups);
    let label = groups.first_metric().label;
    let Some((x_axis, y_axis)) = most_important(source.effects, &axes) else { return Ok(None) };
    let measured = distances(groups, groups.first_metric());
    if measured.is_empty() {
        return Ok(None);
    }
    let logarithmic = declared_logarithmic(source.rows);
    let setting = |axis, most| Setting::of(axis, measured.iter().map(|(run, _)| *run), &logarithmic, most);
    let (x, y) = (setting(x_axis, ANY_TICKS), setting(y_axis, ANY_TICKS));
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
    let shown = if is_table {
        Interaction::Cells(cells(&measured, &x, &y))
    } else {
        Interaction::Points(trial_means(&measured))
    };
    Figure::of_columns(texts, &title, shown.values(&x, &y), |sheet| {
        let left = (sheet.width / 4).clamp(*LEFT.start(), *LEFT.end());
        let frame = Frame { left, top: TOP, right: sheet.width - SCALE, bottom: BOTTOM };
        let (x, y) = (setting(x_axis, frame.ticks_across()), setting(y_axis, frame.ticks_upwards()));
        sheet.draw(frame.bottom + 44, |canvas| {
            let plot = Plot { canvas, frame, x: x.places(), y: y.places() };
            match &shown {
                Interaction::Cells(cells) => table(&plot, cells, shown.largest(), (&x, &y))?,
                Interaction::Points(trials) => points(&plot, trials, shown.largest(), (&x, &y), is_field)?,
            }
            canvas.text((12, frame.top - 18), Anchor::Left, &y.axis.name)?;
            scale(canvas, frame, shown.largest())
        })
    })
    .map(Some)
}

/// The mean difference in each cell that has runs, by column and row, with the number of runs.
type Cells = BTreeMap<(usize, usize), (f64, usize)>;

/// What the figure shows.
enum Interaction<'r> {
    /// Means of pairs of values.
    Cells(Cells),
    /// Trials at their values.
    Points(Vec<TrialMean<'r>>),
}

impl Interaction<'_> {
    /// Returns the largest difference, at which the colours end.
    fn largest(&self) -> f64 {
        let largest = |means: &mut dyn Iterator<Item = f64>| means.map(f64::abs).fold(1e-9, f64::max);
        match self {
            Self::Cells(cells) => largest(&mut cells.values().map(|(mean, _)| *mean)),
            Self::Points(trials) => largest(&mut trials.iter().map(|trial| trial.mean)),
        }
    }

    fn values(&self, x: &Setting<'_>, y: &Setting<'_>) -> Values {
        let row = |x_value: Value<'static>, y_value: Value<'static>, mean: f64, runs: usize| {
            [text(&x.axis.name), x_value, text(&y.axis.name), y_value, number(mean), count_value(runs)]
        };
        let rows: Vec<_> = match self {
            Self::Cells(cells) => {
                let level = |setting: &Setting<'_>, level: usize| text(&setting.axis.levels[level]);
                let of = |(at, of): (&(usize, usize), &(f64, usize))| row(level(x, at.0), level(y, at.1), of.0, of.1);
                cells.iter().map(of).collect()
            }
            Self::Points(trials) => {
                trials.iter().map(|of| row(x.exact(of.run), y.exact(of.run), of.mean, of.runs)).collect()
            }
        };
        Values::of(["x_setting", "x", "y_setting", "y", "difference", "runs"], rows)
    }
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

/// Returns the mean of each pair of levels that has runs.
fn cells(measured: &[(&RunRow, f64)], x: &Setting<'_>, y: &Setting<'_>) -> Cells {
    let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for (run, value) in measured {
        values.entry((x.axis.level(run), y.axis.level(run))).or_default().push(*value);
    }
    values.into_iter().filter_map(|(at, values)| Some((at, (summary(&values)?.mean, values.len())))).collect()
}

/// Draws one cell per pair of levels.
fn table(plot: &Plot<'_, '_>, means: &Cells, largest: f64, (x, y): (&Setting<'_>, &Setting<'_>)) -> DrawResult {
    let Plot { canvas, frame, .. } = plot;
    let (columns, rows) = (x.axis.levels.len(), y.axis.levels.len());
    let corner =
        |column: usize, row: usize| (frame.x(column as f64 / columns as f64), frame.y(row as f64 / rows as f64));
    let (width, height) = ((frame.right - frame.left) / columns as i32, (frame.bottom - frame.top) / rows as i32);
    let has_room = width >= 60 && height >= 34;
    for column in 0..columns {
        for row in 0..rows {
            let (lower, upper) = (corner(column, row), corner(column + 1, row + 1));
            let corners = [(lower.0, upper.1), (upper.0 - 1, lower.1 - 1)];
            let (middle_x, middle_y) = ((lower.0 + upper.0) / 2, (lower.1 + upper.1) / 2);
            let names = format!("{} and {}", x.axis.levels[column], y.axis.levels[row]);
            let Some((mean, runs)) = means.get(&(column, row)) else {
                canvas.fill(corners, MESH)?;
                canvas.tooltip_of_cell(corners, &format!("{names}: no run"), None);
                continue;
            };
            canvas.fill(corners, diverging(mean / largest))?;
            canvas.tooltip_of_cell(corners, &format!("{names}: {} ({})", signed(*mean), counted(*runs, "run")), None);
            if has_room {
                canvas.text_in(ON_PALE, (middle_x, middle_y - 8), Anchor::Centre, &signed(*mean))?;
                canvas.text_in(ON_PALE, (middle_x, middle_y + 8), Anchor::Centre, &format!("n = {runs}"))?;
            }
        }
    }
    for (column, level) in x.axis.ticks.iter().enumerate() {
        let middle = (corner(column, 0).0 + corner(column + 1, 0).0) / 2;
        canvas.text((middle, frame.bottom + 12), Anchor::Centre, &fitted(level, TEXT, width - 4))?;
    }
    for (row, level) in y.axis.ticks.iter().enumerate() {
        let middle = (corner(0, row).1 + corner(0, row + 1).1) / 2;
        canvas.text((frame.left - 8, middle), Anchor::Right, &fitted(level, TEXT, frame.left - 20))?;
    }
    canvas.text(((frame.left + frame.right) / 2, frame.bottom + 30), Anchor::Centre, &x.axis.name)
}

/// Draws trials at their true values, on a field of interpolated values if both settings are numbers.
fn points(
    plot: &Plot<'_, '_>,
    means: &[TrialMean<'_>],
    largest: f64,
    (x, y): (&Setting<'_>, &Setting<'_>),
    is_field: bool,
) -> DrawResult {
    if is_field && means.len() >= FIELD_POINTS {
        let both = |of: &TrialMean<'_>| Some(((x.applied(of.run)?, y.applied(of.run)?), of.mean));
        field(plot, &means.iter().filter_map(both).collect::<Vec<_>>(), largest)?;
    }
    plot.axes("", &x.axis.name)?;
    for (index, TrialMean { run, mean, .. }) in means.iter().enumerate() {
        let at = plot.at((x.place(run) + x.jitter(index), y.place(run) + y.jitter(index)));
        plot.canvas.dot(at, 5, diverging(mean / largest))?;
        plot.canvas.ring(at, 5, ON_PALE)?;
        let text = format!("{} and {}: {}", x.shown(run), y.shown(run), signed(*mean));
        plot.canvas.tooltip_of_run(at, 6, &text, Some(&run.id));
    }
    Ok(())
}

/// Draws the field. Values between the trials are interpolated by inverse squared distances (Shepard 1968) and put into bands.
/// Neighbouring cells of one band become one rectangle.
fn field(plot: &Plot<'_, '_>, points: &[((f64, f64), f64)], largest: f64) -> DrawResult {
    let Plot { canvas, frame, .. } = plot;
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
            let corners = [(frame.x(part(from)), frame.y(part(row + 1))), (frame.x(part(to)), frame.y(part(row)))];
            canvas.fill(corners, diverging(same[0] as f64 / BANDS))?;
            from = to;
        }
    }
    Ok(())
}

/// Draws the colour scale with its values, right of the area.
fn scale(canvas: &Canvas<'_>, frame: Frame, largest: f64) -> DrawResult {
    const STEPS: i32 = 21;
    let (left, height) = (frame.right + 24, (frame.bottom - frame.top) / STEPS);
    let middle = |step: i32| frame.top + step * height + height / 2;
    for step in 0..STEPS {
        let part = 1.0 - 2.0 * f64::from(step) / f64::from(STEPS - 1);
        let corner: Pixel = (left, frame.top + step * height);
        canvas.fill([corner, (left + 16, corner.1 + height)], diverging(part))?;
    }
    for (part, step) in [(1.0, 0), (0.0, STEPS / 2), (-1.0, STEPS - 1)] {
        canvas.text((left + 22, middle(step)), Anchor::Left, &signed(part * largest))?;
    }
    Ok(())
}
