//! Draws the two most important axes together: as a table of colours, or as a field if both axes have many levels.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::{FigureChapter, FigureKind, centred, ink};
use crate::analysis::{Effects, Groups, SearchedAxis, distances, searched};
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, ON_PALE, diverging};
use crate::statistics::summary;
use crate::text::{signed, truncated};

/// Number of levels on both axes from which a field replaces the cells.
const MANY_LEVELS: usize = 7;
/// Number of cells on a side of a field, and of colour bands on each side of 0.
const GRID: usize = 28;
const BANDS: f64 = 9.0;
/// Size of the drawn area, and the margins left of and below it for the names of levels, in pixels.
const SIDES: (i32, i32) = (560, 300);
const MARGINS: (i32, i32) = (200, 56);
const HEAD: i32 = 40;
/// Maximum number of characters of a level's name.
const LEVEL_CHARACTERS: usize = 18;

/// Mean difference and number of the runs at each pair of levels.
type Means = BTreeMap<(usize, usize), (f64, usize)>;

/// One figure; none with fewer than two axes.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Ablation,
    draw: |source| Ok(two_axes(source.effects, source.groups, source.prefix)?.into_iter().collect()),
};

fn two_axes(effects: &[Effects], groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let axes = searched(groups);
    let metric = groups.first_metric();
    let label = metric.label;
    let Some((x, y)) = most_important(effects, &axes) else { return Ok(None) };
    let means = means(groups, metric, x, y);
    if means.is_empty() {
        return Ok(None);
    }
    let largest = means.values().map(|(mean, _)| mean.abs()).fold(1e-9, f64::max);
    let layout = CellLayout { columns: x.levels.len(), rows: y.levels.len() };
    let is_field = layout.columns.min(layout.rows) >= MANY_LEVELS;
    let kind = match (is_field, layout.has_room()) {
        (true, _) => "; interpolated between the runs (rings)",
        (false, true) => "; n: number of runs",
        (false, false) => "",
    };
    let title = groups.marked(&format!("{label}: mean difference from the category's mean{kind}"));
    let about = groups.about(format!("{prefix}interaction"), &format!("{label} by {} and {}", x.name, y.name));
    let size = (SIDES.0 + MARGINS.0 + 200, SIDES.1 + MARGINS.1 + HEAD);
    Figure::draw(about, (size.0 as u32, size.1 as u32), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        if is_field {
            field(area, layout, &means, largest)?;
        } else {
            cells(area, layout, &means, largest)?;
        }
        names(area, layout, x, y)?;
        scale(area, largest)
    })
    .map(Some)
}

fn means(groups: &Groups<'_>, metric: Metric, x: &SearchedAxis, y: &SearchedAxis) -> Means {
    let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for (run, value) in distances(groups, metric) {
        values.entry((x.level(run), y.level(run))).or_default().push(value);
    }
    values.into_iter().filter_map(|(at, values)| Some((at, (summary(&values)?.mean, values.len())))).collect()
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

/// Layout of the cells.
#[derive(Clone, Copy)]
struct CellLayout {
    columns: usize,
    rows: usize,
}

impl CellLayout {
    /// Returns two opposite corners of a part of the drawn area; columns count from the left, rows from the bottom.
    fn bounds(self, (column, row): (f64, f64), (width, height): (f64, f64)) -> [(i32, i32); 2] {
        let x = |at: f64| MARGINS.0 + (at / self.columns as f64 * f64::from(SIDES.0)).round() as i32;
        let y = |at: f64| HEAD + SIDES.1 - (at / self.rows as f64 * f64::from(SIDES.1)).round() as i32;
        [(x(column), y(row + height)), (x(column + width), y(row))]
    }

    /// Returns whether a cell has room for two lines of text.
    fn has_room(self) -> bool {
        SIDES.0 / self.columns as i32 >= 56 && SIDES.1 / self.rows as i32 >= 34
    }

    fn middle(self, column: usize, row: usize) -> (i32, i32) {
        let [(left, top), (right, bottom)] = self.bounds((column as f64, row as f64), (1.0, 1.0));
        ((left + right) / 2, (top + bottom) / 2)
    }
}

fn cells(area: &Area<'_>, layout: CellLayout, means: &Means, largest: f64) -> DrawResult {
    for (&(column, row), (mean, runs)) in means {
        let bounds = layout.bounds((column as f64, row as f64), (1.0, 1.0));
        area.draw(&Rectangle::new(bounds, diverging(mean / largest).filled()))?;
        if layout.has_room() {
            let (x, y) = layout.middle(column, row);
            area.draw_text(&signed(*mean), &centred(13).color(&ON_PALE), (x, y - 7))?;
            area.draw_text(&format!("n = {runs}"), &centred(11).color(&ON_PALE), (x, y + 9))?;
        }
    }
    Ok(())
}

/// Draws the field. Values between the runs are interpolated by inverse squared distances (Shepard 1968) and put into bands. Neighbouring
/// cells of one band become one rectangle.
fn field(area: &Area<'_>, layout: CellLayout, means: &Means, largest: f64) -> DrawResult {
    let middle = |(&(column, row), &(mean, _)): (&(usize, usize), &(f64, usize))| {
        ((column as f64 + 0.5, row as f64 + 0.5), mean)
    };
    let points: Vec<((f64, f64), f64)> = means.iter().map(middle).collect();
    let (width, height) = (layout.columns as f64 / GRID as f64, layout.rows as f64 / GRID as f64);
    let band = |column: usize, row: usize| -> i64 {
        let (x, y) = ((column as f64 + 0.5) * width, (row as f64 + 0.5) * height);
        let (mut sum, mut weights) = (0.0, 0.0);
        for ((px, py), value) in &points {
            let distance = ((x - px) / layout.columns as f64).powi(2) + ((y - py) / layout.rows as f64).powi(2);
            let weight = 1.0 / (distance + 1e-6);
            sum += weight * value;
            weights += weight;
        }
        (sum / weights / largest * BANDS).round() as i64
    };
    for row in 0..GRID {
        let bands: Vec<i64> = (0..GRID).map(|column| band(column, row)).collect();
        let mut from = 0;
        for same in bands.chunk_by(|a, b| a == b) {
            let at = (from as f64 * width, row as f64 * height);
            let bounds = layout.bounds(at, (same.len() as f64 * width, height));
            area.draw(&Rectangle::new(bounds, diverging(same[0] as f64 / BANDS).filled()))?;
            from += same.len();
        }
    }
    for ((x, y), _) in points {
        let [at, _] = layout.bounds((x, y), (0.0, 0.0));
        area.draw(&Circle::new(at, 3, ON_PALE.stroke_width(1)))?;
    }
    Ok(())
}

fn names(area: &Area<'_>, layout: CellLayout, x: &SearchedAxis, y: &SearchedAxis) -> DrawResult {
    let [(left, _), (right, bottom)] = layout.bounds((0.0, 0.0), (layout.columns as f64, 0.0));
    for (column, level) in x.ticks.iter().enumerate().step_by(x.levels.len().div_ceil(5)) {
        area.draw_text(&truncated(level, LEVEL_CHARACTERS), &centred(12), (layout.middle(column, 0).0, bottom + 14))?;
    }
    area.draw_text(&x.heading(60), &centred(13), ((left + right) / 2, bottom + 36))?;
    let right_aligned = ink(12).pos(plotters::style::text_anchor::Pos::new(
        plotters::style::text_anchor::HPos::Right,
        plotters::style::text_anchor::VPos::Center,
    ));
    for (row, level) in y.ticks.iter().enumerate().step_by(y.levels.len().div_ceil(9)) {
        area.draw_text(&truncated(level, LEVEL_CHARACTERS), &right_aligned, (left - 8, layout.middle(0, row).1))?;
    }
    area.draw_text(&y.short_heading(), &ink(13), (12, HEAD - 8))?;
    Ok(())
}

/// Draws the colour scale with its values, right of the area.
fn scale(area: &Area<'_>, largest: f64) -> DrawResult {
    const STEPS: i32 = 18;
    let (left, height) = (MARGINS.0 + SIDES.0 + 24, SIDES.1 / STEPS);
    for step in 0..STEPS {
        let part = 1.0 - 2.0 * f64::from(step) / f64::from(STEPS - 1);
        let top = HEAD + step * height;
        area.draw(&Rectangle::new([(left, top), (left + 16, top + height)], diverging(part).filled()))?;
    }
    for (part, y) in [(1.0, HEAD), (0.0, HEAD + SIDES.1 / 2 - 7), (-1.0, HEAD + SIDES.1 - 20)] {
        area.draw_text(&signed(part * largest), &ink(12).color(&INK), (left + 24, y))?;
    }
    Ok(())
}
