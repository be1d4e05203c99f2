//! The figures of a run: its curves by epoch, and its image scores by class.

use plotters::prelude::Color;

use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::figures::axis::Axis;
use crate::report::figures::palette::of_item;
use crate::report::figures::plot::{Frame, Plot};

/// Width and height of a figure, in pixels.
const SIZE: (i32, i32) = (480, 260);
/// The panel of a figure.
const FRAME: Frame = Frame { left: 62, top: 58, right: SIZE.0 - 18, bottom: SIZE.1 - 40 };
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
    let Some(y) = Axis::around(points().map(|(_, value)| *value), FRAME.ticks_upwards()) else { return Ok(None) };
    let last = points().map(|(epoch, _)| *epoch).fold(2.0, f64::max);
    let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
    let figure = Figure::draw(about, SIZE, |canvas| {
        head(canvas, title, &names)?;
        let plot = Plot { canvas, frame: FRAME, x: Axis::whole(1.0, last, FRAME.ticks_across()), y };
        plot.vertical_axis()?;
        plot.horizontal_axis("epoch")?;
        if let Some(selected) = selected {
            upright(&plot, selected)?;
        }
        for (index, line) in lines.iter().enumerate() {
            let colour = of_item(index);
            plot.curve(&line.points, colour, 2)?;
            for point in line.points.iter().filter(|(epoch, _)| Some(*epoch) == selected) {
                canvas.dot(plot.at(*point), 4, colour)?;
                canvas.tooltip(plot.at(*point), 6, &format!("{}, epoch {}: {:.4}", line.name, point.0, point.1));
            }
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
    let all = scores.iter().map(|(_, score)| *score).chain(threshold);
    let Some(x) = Axis::around(all, FRAME.ticks_across()) else { return Ok(None) };
    let counts = |wanted: bool| -> Vec<usize> {
        let mut counts = vec![0; BINS];
        for (_, score) in scores.iter().filter(|(defective, score)| *defective == wanted && score.is_finite()) {
            counts[((x.part(*score) * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        counts
    };
    let classes = [counts(false), counts(true)];
    let highest = classes.iter().flatten().copied().max().unwrap_or(0).max(1) as f64;
    let edges: Vec<f64> = (0..=BINS).map(|bin| x.value(bin as f64 / BINS as f64)).collect();
    let figure = Figure::draw(about, SIZE, |canvas| {
        head(canvas, "image scores; dashed: held-out threshold", &["normal", "defective"])?;
        let plot = Plot { canvas, frame: FRAME, x, y: Axis::whole(0.0, 1.08 * highest, FRAME.ticks_upwards()) };
        plot.vertical_axis()?;
        plot.horizontal_axis("image score")?;
        for (class, counts) in classes.iter().enumerate() {
            for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let corners = [plot.at((edges[bin], 0.0)), plot.at((edges[bin + 1], *count as f64))];
                canvas.fill(corners, of_item(class).mix(0.6))?;
            }
        }
        threshold.map_or(Ok(()), |threshold| upright(&plot, threshold))
    })?;
    Ok(Some(figure))
}

/// Draws a dashed line from the bottom to the top.
fn upright(plot: &Plot<'_, '_>, x: f64) -> DrawResult {
    let x = plot.frame.x(plot.x.part(x));
    plot.canvas.dashed((x, plot.frame.bottom), (x, plot.frame.top), INK)
}

/// Draws title and legend.
fn head(canvas: &Canvas<'_>, title: &str, names: &[&str]) -> DrawResult {
    canvas.title(title)?;
    let mut left = 12;
    for (index, name) in names.iter().enumerate() {
        canvas.line(vec![(left, 38), (left + 16, 38)], of_item(index), 3)?;
        canvas.text((left + 22, 38), Anchor::Left, name)?;
        left += 40 + text_width(name, TEXT);
    }
    Ok(())
}
