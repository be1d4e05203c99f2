//! The figures of a run: its curves by epoch, and its image scores by class.

use plotters::prelude::*;

use super::axis::Axis;
use crate::report::error::ReportError;
use crate::report::figure::{Area, Figure, FigureTexts, INK, plain, series};
use crate::report::figures::ink;

/// Width and height of a figure, in pixels.
const SIZE: (u32, u32) = (480, 260);
/// Height above the axes, in pixels.
const HEAD: u32 = 48;
/// Space for the name of a line, in pixels per character and before it.
const NAME: (i32, i32) = (7, 40);
/// Number of bins of a histogram.
const BINS: usize = 30;

/// One line of a figure.
pub(super) struct Line {
    /// Name in the legend.
    pub name: &'static str,
    /// Points (epoch, value).
    pub points: Vec<(f64, f64)>,
}

/// Draws lines by epoch, with the selected epoch marked; `None` if no line has points.
pub(super) fn lines(
    about: FigureTexts,
    title: &str,
    lines: &[Line],
    selected: Option<f64>,
) -> Result<Option<Figure>, ReportError> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let Some(axis) = Axis::of(points().map(|(_, value)| *value)) else { return Ok(None) };
    let last = points().map(|(epoch, _)| *epoch).fold(2.0, f64::max);
    let names: Vec<(&str, RGBColor)> = lines.iter().enumerate().map(|(i, line)| (line.name, series(i))).collect();
    let figure = Figure::draw(about, SIZE, |area| {
        let below = head(area, title, &names)?;
        let mut chart = ChartBuilder::on(&below)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(26)
            .y_label_area_size(56)
            .build_cartesian_2d(1.0..last, axis.ends.0..axis.ends.1)?;
        plain(&mut chart.configure_mesh())
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|epoch| format!("{epoch:.0}"))
            .y_label_formatter(&|place| axis.text(*place))
            .draw()?;
        if let Some(selected) = selected {
            let line = [(selected, axis.ends.0), (selected, axis.ends.1)];
            chart.draw_series(DashedLineSeries::new(line, 5, 4, INK.stroke_width(1)))?;
        }
        for (index, line) in lines.iter().enumerate() {
            let places = line.points.iter().map(|(epoch, value)| (*epoch, axis.place(*value)));
            chart.draw_series(LineSeries::new(places.clone(), series(index).stroke_width(2)))?;
            let marked = places.filter(|(epoch, _)| Some(*epoch) == selected);
            chart.draw_series(marked.map(|place| Circle::new(place, 4, series(index).filled())))?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
}

/// Draws the image scores of normal and of defective images, with the threshold; `None` if there are no scores.
pub(super) fn histogram(
    about: FigureTexts,
    scores: &[(bool, f64)],
    threshold: Option<f64>,
) -> Result<Option<Figure>, ReportError> {
    let Some(axis) = Axis::of(scores.iter().map(|(_, score)| *score).chain(threshold)) else { return Ok(None) };
    let (low, high) = axis.ends;
    let width = (high - low) / BINS as f64;
    let counts = |wanted: bool| -> Vec<usize> {
        let mut counts = vec![0; BINS];
        for (_, score) in scores.iter().filter(|(defective, score)| *defective == wanted && score.is_finite()) {
            counts[(((axis.place(*score) - low) / width) as usize).min(BINS - 1)] += 1;
        }
        counts
    };
    let classes = [counts(false), counts(true)];
    let highest = classes.iter().flatten().copied().max().unwrap_or(0).max(1) as f64;
    let names = [("normal", series(0)), ("defective", series(1))];
    let figure = Figure::draw(about, SIZE, |area| {
        let below = head(area, "image scores; dashed: held-out threshold", &names)?;
        let mut chart = ChartBuilder::on(&below)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(26)
            .y_label_area_size(40)
            .build_cartesian_2d(low..high, 0.0..1.08 * highest)?;
        plain(&mut chart.configure_mesh())
            .x_labels(6)
            .y_labels(5)
            .x_label_formatter(&|place| axis.text(*place))
            .y_label_formatter(&|count| if count.fract() == 0.0 { format!("{count:.0}") } else { String::new() })
            .draw()?;
        for (class, counts) in classes.iter().enumerate() {
            let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bin, count)| {
                let from = low + width * bin as f64;
                Rectangle::new([(from, 0.0), (from + width, *count as f64)], series(class).mix(0.6).filled())
            });
            chart.draw_series(bars)?;
        }
        if let Some(place) = threshold.map(|threshold| axis.place(threshold)) {
            let line = [(place, 0.0), (place, 1.08 * highest)];
            chart.draw_series(DashedLineSeries::new(line, 5, 4, INK.stroke_width(1)))?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
}

/// Draws title and legend; returns the area below them.
fn head<'a>(area: &Area<'a>, title: &str, names: &[(&str, RGBColor)]) -> Result<Area<'a>, crate::cause::Cause> {
    area.draw_text(title, &ink(14), (12, 6))?;
    let mut left = 12;
    for (name, colour) in names {
        area.draw(&PathElement::new(vec![(left, 35), (left + 16, 35)], colour.stroke_width(3)))?;
        area.draw_text(name, &ink(12), (left + 22, 28))?;
        left += NAME.1 + NAME.0 * name.chars().count() as i32;
    }
    Ok(area.split_vertically(HEAD).1)
}
