//! Draws differences in rows: a label, a point with its interval, and the numbers as text.

use plotters::prelude::{Color, RGBColor};

use super::axis::Axis;
use super::plot::{Frame, Plot};
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, fitted, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, PAPER};
use crate::report::values::{Values, number, text};

/// Height of the space above the rows of a panel and of the space below them, in pixels.
const ABOVE: i32 = 46;
const BELOW: i32 = 40;
/// Width of the texts on the right, range of the width of the labels, in pixels.
const NUMBERS: i32 = 286;
const LABELS: std::ops::RangeInclusive<i32> = 90..=250;
/// Smallest width of the intervals beside their texts, in pixels.
const BESIDE: i32 = 200;
/// Width to which a label is shortened at most, so that the numbers stand beside it, in pixels.
const SHORTENED: i32 = 150;
/// Place of a label, after its colour, and distance of texts from both edges, in pixels.
const LABEL: i32 = 28;
const MARGIN: i32 = 12;

/// One difference.
pub(super) struct EffectRow<'r> {
    pub label: String,
    pub colour: RGBColor,
    /// Mean difference; `None` if nothing can be compared.
    pub difference: Option<f64>,
    /// 95 % interval; without it, the seeds are drawn.
    pub interval: Option<(f64, f64)>,
    /// Differences of single seeds.
    pub seeds: Vec<f64>,
    /// p-value, if there is a test.
    pub p: Option<f64>,
    /// The numbers as text.
    pub numbers: String,
    /// The run that the difference leads to.
    pub run: Option<&'r str>,
}

/// The differences in one metric.
pub(super) struct EffectPanel<'r> {
    pub metric: &'static str,
    pub heading: String,
    pub rows: Vec<EffectRow<'r>>,
    /// Name of the horizontal axis.
    pub axis: String,
    /// Name of the line at zero.
    pub zero: String,
    /// Heading of the numbers.
    pub numbers: String,
}

/// Draws one panel below the other; `None` if there is no difference to draw. `item` is what a row is.
///
/// # Errors
/// The figure cannot be drawn.
pub(super) fn effect_figure(
    title: &str,
    item: &'static str,
    panels: &[EffectPanel<'_>],
    texts: FigureTexts,
) -> Result<Option<Figure>, ReportError> {
    if panels.is_empty() {
        return Ok(None);
    }
    Figure::of_columns(texts, title, values(item, panels), |sheet| {
        let rows = RowLayout::of(panels, sheet.width);
        let bottom = |panel: &EffectPanel<'_>| ABOVE + rows.height * panel.rows.len() as i32;
        let height = 26 + panels.iter().map(|panel| bottom(panel) + BELOW).sum::<i32>();
        sheet.draw(height, |canvas| {
            let mut top = 26;
            for panel in panels {
                let frame = Frame { left: rows.left, top: top + ABOVE, right: rows.right, bottom: top + bottom(panel) };
                panel.draw(canvas, frame, &rows)?;
                top = frame.bottom + BELOW;
            }
            Ok(())
        })
    })
    .map(Some)
}

/// Returns what is drawn: every mean, and every seed without an interval.
fn values(item: &'static str, panels: &[EffectPanel<'_>]) -> Values {
    let rows = panels.iter().flat_map(|panel| panel.rows.iter().map(move |row| (panel.metric, row)));
    let marks = rows.flat_map(|(metric, row)| {
        let value = move |mark: &str, difference: Option<f64>, interval: Option<(f64, f64)>, p: Option<f64>| {
            let (low, high) = interval.unzip();
            [text(metric), text(&row.label), text(mark), number(difference), number(low), number(high), number(p)]
        };
        let mean = value("mean", row.difference, row.interval, row.p);
        std::iter::once(mean).chain(row.drawn_seeds().iter().map(move |seed| value("seed", Some(*seed), None, None)))
    });
    Values::of(["metric", item, "mark", "difference", "low", "high", "p"], marks)
}

/// Where the parts of a row are, in pixels.
struct RowLayout {
    /// Edges of the intervals.
    left: i32,
    right: i32,
    height: i32,
    /// Maximum width of a label.
    label: i32,
    /// Where the numbers start or end.
    numbers: (i32, Anchor),
    /// Distances of numbers and interval from the label, downwards.
    below: (i32, i32),
}

impl RowLayout {
    /// Puts texts beside the intervals or, on a narrow canvas, above them.
    fn of(panels: &[EffectPanel<'_>], width: i32) -> Self {
        let rows = || panels.iter().flat_map(|panel| &panel.rows);
        let labels = rows().map(|row| text_width(&row.label, TEXT)).max().unwrap_or(0);
        let numbers = rows().map(|row| text_width(&row.numbers, TEXT)).max().unwrap_or(0);
        let left = (labels + LABEL + 8).clamp(*LABELS.start(), *LABELS.end());
        if width - NUMBERS - left >= BESIDE {
            let right = width - NUMBERS;
            let numbers = (right + 16, Anchor::Left);
            return Self { left, right, height: 21, label: left - LABEL - 6, numbers, below: (0, 0) };
        }
        let (left, right, label) = (2 * MARGIN, width - 2 * MARGIN, width - LABEL - MARGIN);
        let beside = label - numbers - 16;
        if beside >= labels.min(SHORTENED) {
            let label = beside;
            Self { left, right, height: 40, label, numbers: (width - MARGIN, Anchor::Right), below: (0, 17) }
        } else {
            Self { left, right, height: 56, label, numbers: (LABEL, Anchor::Left), below: (16, 33) }
        }
    }

    /// Returns whether the texts are above the intervals.
    fn is_stacked(&self) -> bool {
        self.below.1 > 0
    }
}

impl EffectRow<'_> {
    /// Returns the differences of single seeds that are drawn.
    fn drawn_seeds(&self) -> &[f64] {
        if self.interval.is_none() { &self.seeds } else { &[] }
    }
}

impl EffectPanel<'_> {
    /// Returns the ends of the axis: all rows share it, and zero is on it.
    fn range(&self) -> (f64, f64) {
        let reach = self.rows.iter().flat_map(|row| {
            let ends = row.interval.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
            row.drawn_seeds().iter().copied().chain(ends.into_iter().flatten()).chain(row.difference)
        });
        let (low, high) = reach.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let margin = (0.08 * (high - low)).max(1e-4);
        (low - margin, high + margin)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Frame, rows: &RowLayout) -> DrawResult {
        let (low, high) = self.range();
        let x = Axis::linear(low, high, frame.ticks_across()).signed();
        let plot = Plot { canvas, frame, x, y: Axis::with_ticks(0.0, self.rows.len() as f64, Vec::new()) };
        let (numbers, anchor) = if rows.is_stacked() { (canvas.width() - MARGIN, Anchor::Right) } else { rows.numbers };
        let (y, room) =
            if rows.is_stacked() { (frame.top - 32, rows.label) } else { (frame.top - 16, frame.left - 14) };
        canvas.text((MARGIN, y), Anchor::Left, &fitted(&self.heading, TEXT, room))?;
        canvas.text((numbers, y), anchor, &self.numbers)?;
        plot.horizontal_axis(&self.axis)?;
        let zero = plot.at((0.0, 0.0)).0;
        canvas.line(vec![(zero, frame.top - 6), (zero, frame.bottom)], INK, 1)?;
        let half = text_width(&self.zero, TEXT) / 2;
        let name = zero.clamp(frame.left + half, frame.right - half);
        canvas.text((name, frame.top - 16), Anchor::Centre, &self.zero)?;
        for (index, row) in (0..).zip(&self.rows) {
            row.draw(&plot, rows, frame.top + rows.height * index + 10)?;
        }
        Ok(())
    }
}

impl EffectRow<'_> {
    /// Draws the row; its label is at height `y`.
    fn draw(&self, plot: &Plot<'_, '_>, layout: &RowLayout, y: i32) -> DrawResult {
        let canvas = plot.canvas;
        canvas.fill([(MARGIN, y - 5), (MARGIN + 10, y + 5)], self.colour)?;
        let (numbers, anchor) = layout.numbers;
        let label = fitted_middle(&self.label, layout.label);
        for (text, x, y, anchor) in
            [(&label, LABEL, y, Anchor::Left), (&self.numbers, numbers, y + layout.below.0, anchor)]
        {
            if layout.is_stacked() {
                // The line at zero runs behind the texts.
                let width = text_width(text, TEXT);
                let left = if anchor == Anchor::Left { x } else { x - width };
                canvas.fill([(left - 2, y - 7), (left + width + 2, y + 7)], PAPER)?;
            }
            canvas.text((x, y), anchor, text)?;
        }
        let y = y + layout.below.1;
        let at = |value: f64| (plot.at((value, 0.0)).0, y);
        if let Some((from, to)) = self.interval {
            canvas.interval(at(from), at(to), self.colour)?;
        }
        self.drawn_seeds().iter().try_for_each(|value| canvas.dot(at(*value), 3, self.colour.mix(0.6)))?;
        if let Some(difference) = self.difference {
            match self.interval {
                Some(_) => canvas.dot(at(difference), 5, self.colour)?,
                None => canvas.line(vec![(at(difference).0, y - 7), (at(difference).0, y + 7)], self.colour, 2)?,
            }
            canvas.tooltip_of_run(at(difference), 6, &format!("{}: {}", self.label, self.numbers), self.run);
        }
        Ok(())
    }
}
