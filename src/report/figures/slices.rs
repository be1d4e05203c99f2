//! Draws the results at each level of each axis, whatever the other axes were.

use plotters::prelude::*;

use super::{FigureChapter, FigureKind, ink, room};
use crate::analysis::{Groups, SearchedAxis, distances, levels, searched};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, digits, plain, series};
use crate::store::RunRow;
use crate::text::truncated;

/// Maximum number of axes in one figure.
const MOST_AXES: usize = 6;
/// Maximum number of dots in one panel. If there are more runs, only every n-th is drawn.
const MOST_DOTS: usize = 600;
/// Maximum number of characters of a level's name.
const LEVEL_CHARACTERS: usize = 11;
/// Width of a character of a level's name, of the gap to the next name, and of the margins left and right of a panel's axis, in pixels.
const CHARACTER: usize = 7;
const GAP: usize = 10;
const SIDE_MARGINS: usize = 80;

/// One panel per axis; no figure if nothing was searched.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Hyperparameters,
    draw: |source| Ok(slices(source.groups, source.prefix)?.into_iter().collect()),
};

fn slices(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let axes = searched(groups);
    let metric = groups.first_metric();
    let label = metric.label;
    let measured = distances(groups, metric);
    if axes.is_empty() || measured.is_empty() {
        return Ok(None);
    }
    let shown = &axes[..axes.len().min(MOST_AXES)];
    let every = measured.len().div_ceil(MOST_DOTS);
    let thinned = if every > 1 { format!(" (one run in {every} drawn)") } else { String::new() };
    let title = groups.marked(&format!(
        "{label} by setting: difference from the category's mean, one dot per run; lines: effects of levels{thinned}"
    ));
    let about =
        groups.about(format!("{prefix}slices"), &format!("{label} of all runs by the level of each searched setting"));
    let (rows, columns) = (shown.len().div_ceil(2), shown.len().min(2));
    Figure::draw(about, (960, 36 + 230 * rows as u32), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        let (_, below) = area.split_vertically(36);
        for ((place, axis), tile) in shown.iter().enumerate().zip(below.split_evenly((rows, columns))) {
            let runs: Vec<((&RunRow, f64), usize)> = measured.iter().map(|run| (*run, axis.level(run.0))).collect();
            panel(&tile, axis, &runs, every, series(place))?;
        }
        Ok(())
    })
    .map(Some)
}

fn panel(
    area: &Area<'_>,
    axis: &SearchedAxis,
    runs: &[((&RunRow, f64), usize)],
    every: usize,
    colour: RGBColor,
) -> DrawResult {
    let (low, high) = room(runs.iter().map(|((_, value), _)| *value)).unwrap_or((0.0, 1.0));
    let digits = digits(low, high);
    let last = axis.levels.len() as f64 - 0.5;
    let longest = axis.ticks.iter().map(|tick| tick.chars().count()).max().unwrap_or(1).min(LEVEL_CHARACTERS);
    // If not all names fit, only every n-th is shown.
    let step =
        (axis.levels.len() * (longest * CHARACTER + GAP)).div_ceil(area.dim_in_pixel().0 as usize - SIDE_MARGINS);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .caption(axis.heading(40), ("sans-serif", 13).into_font().color(&INK))
        .x_label_area_size(26)
        .y_label_area_size(60)
        .build_cartesian_2d(-0.5..last, low..high)?;
    let level = |at: &f64| {
        let index = at.round();
        let shown = (at - index).abs() < 1e-6 && index >= 0.0 && (index as usize).is_multiple_of(step);
        axis.ticks
            .get(index as usize)
            .filter(|_| shown)
            .map_or_else(String::new, |tick| truncated(tick, LEVEL_CHARACTERS))
    };
    plain(&mut chart.configure_mesh())
        .disable_x_mesh()
        .x_labels(axis.levels.len() + 1)
        .y_labels(5)
        .x_label_formatter(&level)
        .y_label_formatter(&|value| format!("{value:+.digits$}").replace('-', "−"))
        .draw()?;
    chart.draw_series(runs.iter().enumerate().step_by(every).map(|(index, ((_, value), level))| {
        // Dots are shifted by their order; otherwise dots of equal value would hide each other.
        let shift = ((index * 7) % 13) as f64 / 13.0 - 0.46;
        Circle::new((*level as f64 + 0.5 * shift, *value), 3, colour.mix(0.55).filled())
    }))?;
    // Show the same effects as the table. If runs are missing, plain means would cover different categories and seeds.
    let effects = levels(axis, runs);
    let effect = |level: usize| effects.iter().find(|of| of.level == axis.levels[level])?.effect;
    let means = (0..axis.levels.len()).filter_map(|level| Some((level as f64, effect(level)?)));
    for (level, mean) in means {
        let line = PathElement::new([(level - 0.32, mean), (level + 0.32, mean)], INK.stroke_width(2));
        chart.draw_series([line])?;
    }
    Ok(())
}
