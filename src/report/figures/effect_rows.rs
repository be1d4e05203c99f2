//! Draws differences in rows: labels on the left, points with their intervals in the middle, the numbers as text on the right.

use plotters::prelude::{Color, RGBColor};

use super::axis::Axis;
use super::plot::{Frame, Plot};
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, WIDE, fitted, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};

/// Height of a row, of the space above the rows of a panel and of the space below them, in pixels.
const ROW: i32 = 21;
const ABOVE: i32 = 46;
const BELOW: i32 = 40;
/// Width of the texts on the right, range of the width of the labels, in pixels.
const NUMBERS: i32 = 286;
const LABELS: std::ops::RangeInclusive<i32> = 90..=250;

/// One difference.
pub(super) struct EffectRow {
    pub label: String,
    pub colour: RGBColor,
    /// Mean difference; `None` if nothing can be compared.
    pub difference: Option<f64>,
    /// 95 % interval; without it, the seeds are drawn.
    pub interval: Option<(f64, f64)>,
    /// Differences of single seeds.
    pub seeds: Vec<f64>,
    /// The numbers as text.
    pub numbers: String,
}

/// The differences in one metric.
pub(super) struct EffectPanel {
    pub heading: String,
    pub rows: Vec<EffectRow>,
    /// Name of the horizontal axis.
    pub axis: String,
    /// Name of the line at zero.
    pub zero: String,
    /// Heading of the numbers.
    pub numbers: String,
}

/// Draws one panel below the other; `None` if there is no difference to draw.
///
/// # Errors
/// The figure cannot be drawn.
pub(super) fn effect_figure(
    title: &str,
    panels: &[EffectPanel],
    texts: FigureTexts,
) -> Result<Option<Figure>, ReportError> {
    if panels.is_empty() {
        return Ok(None);
    }
    let labels = panels.iter().flat_map(|panel| &panel.rows).map(|row| text_width(&row.label, TEXT));
    let widest = labels.max().unwrap_or(0) + 36;
    let left = widest.clamp(*LABELS.start(), *LABELS.end());
    let height = |panel: &EffectPanel| ABOVE + ROW * panel.rows.len() as i32 + BELOW;
    let size = (WIDE, 26 + panels.iter().map(height).sum::<i32>());
    Figure::draw(texts, size, |canvas| {
        canvas.title(title)?;
        let mut top = 26;
        for panel in panels {
            let bottom = top + ABOVE + ROW * panel.rows.len() as i32;
            panel.draw(canvas, Frame { left, top: top + ABOVE, right: WIDE - NUMBERS, bottom })?;
            top += height(panel);
        }
        Ok(())
    })
    .map(Some)
}

impl EffectPanel {
    /// Returns the ends of the axis: all rows share it, and zero is on it.
    fn range(&self) -> (f64, f64) {
        let reach = self.rows.iter().flat_map(|row| {
            let ends = row.interval.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
            row.seeds
                .iter()
                .copied()
                .filter(|_| row.interval.is_none())
                .chain(ends.into_iter().flatten())
                .chain(row.difference)
        });
        let (low, high) = reach.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let margin = (0.08 * (high - low)).max(1e-4);
        (low - margin, high + margin)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Frame) -> DrawResult {
        let (low, high) = self.range();
        let x = Axis::linear(low, high, frame.ticks_across()).signed();
        let plot = Plot { canvas, frame, x, y: Axis::with_ticks(0.0, self.rows.len() as f64, Vec::new()) };
        canvas.text((12, frame.top - 16), Anchor::Left, &fitted(&self.heading, TEXT, frame.left - 14))?;
        canvas.text((frame.right + 16, frame.top - 16), Anchor::Left, &self.numbers)?;
        plot.horizontal_axis(&self.axis)?;
        let zero = plot.at((0.0, 0.0)).0;
        canvas.line(vec![(zero, frame.top - 6), (zero, frame.bottom)], INK, 1)?;
        let half = text_width(&self.zero, TEXT) / 2;
        let name = zero.clamp(frame.left + half, frame.right - half);
        canvas.text((name, frame.top - 16), Anchor::Centre, &self.zero)?;
        for (index, row) in self.rows.iter().enumerate() {
            let y = frame.top + ROW * index as i32 + ROW / 2;
            canvas.fill([(12, y - 5), (22, y + 5)], row.colour)?;
            canvas.text((28, y), Anchor::Left, &fitted_middle(&row.label, frame.left - 34))?;
            canvas.text((frame.right + 16, y), Anchor::Left, &row.numbers)?;
            let at = |value: f64| (plot.at((value, 0.0)).0, y);
            match row.interval {
                Some((from, to)) => canvas.interval(at(from), at(to), row.colour)?,
                None => row.seeds.iter().try_for_each(|value| canvas.dot(at(*value), 3, row.colour.mix(0.6)))?,
            }
            if let Some(difference) = row.difference {
                match row.interval {
                    Some(_) => canvas.dot(at(difference), 5, row.colour)?,
                    None => canvas.line(vec![(at(difference).0, y - 7), (at(difference).0, y + 7)], row.colour, 2)?,
                }
                canvas.tooltip(at(difference), 6, &format!("{}: {}", row.label, row.numbers));
            }
        }
        Ok(())
    }
}
