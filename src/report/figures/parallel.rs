//! Draws parallel coordinates: one line per trial, through its level on every axis to its result.

use plotters::prelude::*;

use super::{FigureChapter, FigureKind, centred, ink, room};
use crate::analysis::{Groups, SearchedAxis, Variant, is_point, searched};
use crate::evaluate::Selection;
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, MESH, PAPER, digits, ramp};
use crate::statistics::summary;
use crate::text::truncated;

/// Minimum number of axes; with fewer, a slice shows the same.
const FEWEST_AXES: usize = 2;
const MOST_AXES: usize = 7;
/// Maximum number of lines. If there are more trials, only every n-th by rank is drawn.
const MOST_LINES: usize = 300;

/// One figure; none with fewer than two axes.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Hyperparameters,
    draw: |source| Ok(coordinates(source.groups, source.prefix)?.into_iter().collect()),
};

fn coordinates(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let mut axes = searched(groups);
    axes.truncate(MOST_AXES);
    let metric = groups.first_metric();
    let label = metric.label;
    let mut trials: Vec<(Vec<usize>, f64)> = Vec::new();
    let is_drawn = |variant: &&Variant| groups.of_variant(variant).any(is_point) && groups.is_finished(variant);
    for variant in groups.variants.iter().filter(is_drawn) {
        let values: Vec<f64> =
            groups.of_variant(variant).filter_map(|run| groups.value(run, Selection::Selected, metric)).collect();
        if let (Some(run), Some(summary)) = (groups.of_variant(variant).next(), summary(&values)) {
            trials.push((axes.iter().map(|axis| axis.level(run)).collect(), summary.mean));
        }
    }
    let Some((low, high)) = room(trials.iter().map(|(_, value)| *value)) else { return Ok(None) };
    if axes.len() < FEWEST_AXES || trials.len() < 3 {
        return Ok(None);
    }
    // The best trials come last, so that they are drawn on top.
    trials.sort_by(|a, b| metric.direction.rank(b.1, a.1));
    let every = trials.len().div_ceil(MOST_LINES);
    let thinned = if every > 1 { format!(" (one in {every} by rank)") } else { String::new() };
    let title =
        groups.marked(&format!("one line per finished trial, brighter is better{thinned}; right: mean {label}"));
    let about = groups.about(
        format!("{prefix}parallel"),
        &format!("Parallel coordinates of {} trials over {} settings", trials.len(), axes.len()),
    );
    let digits = digits(low, high);
    let (top, bottom) = (86, 330);
    let column = |place: usize| 80 + (800 * place / axes.len()) as i32;
    let height = |part: f64| bottom - (part * f64::from(bottom - top)).round() as i32;
    let of_level = |level: usize, levels: usize| height((level as f64 + 0.5) / levels as f64);
    Figure::draw(about, (960, 360), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        let rank = |index: usize| index as f64 / (trials.len() - 1).max(1) as f64;
        for (index, (levels, value)) in
            trials.iter().enumerate().rev().step_by(every).collect::<Vec<_>>().into_iter().rev()
        {
            // Lines through the same level are shifted by rank; otherwise they would hide each other.
            let shift = (16.0 * (rank(index) - 0.5)) as i32;
            let on_axes = levels.iter().zip(&axes).enumerate();
            let mut line: Vec<(i32, i32)> = on_axes
                .map(|(place, (level, axis))| (column(place), of_level(*level, axis.levels.len()) - shift))
                .collect();
            line.push((column(axes.len()), height((value - low) / (high - low))));
            area.draw(&PathElement::new(line, ramp(rank(index)).stroke_width(2)))?;
        }
        for place in 0..=axes.len() {
            area.draw(&PathElement::new([(column(place), top), (column(place), bottom)], INK.stroke_width(1)))?;
            let heading = axes.get(place).map_or_else(|| label.to_owned(), SearchedAxis::short_heading);
            // Headings alternate between two heights, because long names of neighbouring axes would overlap.
            let y = if place % 2 == 0 { 52 } else { 70 };
            area.draw_text(&heading, &centred(12), (column(place), y))?;
        }
        for (place, axis) in axes.iter().enumerate() {
            let step = axis.levels.len().div_ceil(8);
            for (level, name) in axis.ticks.iter().enumerate().step_by(step) {
                // The name is placed above the bundle of lines.
                let (x, y) = (column(place), of_level(level, axis.levels.len()));
                let name = truncated(name, 14);
                let width = 7 * name.chars().count() as i32 + 2;
                area.draw(&Rectangle::new([(x + 3, y - 28), (x + 3 + width, y - 13)], PAPER.mix(0.8).filled()))?;
                area.draw_text(&name, &ink(11), (x + 4, y - 26))?;
            }
        }
        for part in [0.0, 0.5, 1.0] {
            let text = format!("{:.digits$}", low + part * (high - low));
            draw_value_label(area, &text, (column(axes.len()), height(part)))?;
        }
        Ok(())
    })
    .map(Some)
}

/// Draws text right of a point, with a short line to the point.
fn draw_value_label(area: &Area<'_>, text: &str, (x, y): (i32, i32)) -> DrawResult {
    area.draw(&PathElement::new([(x - 3, y), (x + 3, y)], MESH.stroke_width(1)))?;
    area.draw_text(text, &ink(11), (x + 6, y - 7))?;
    Ok(())
}
