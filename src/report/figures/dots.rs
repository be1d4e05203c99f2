//! Draws rows of marks in panels side by side: one row per variant, one panel per metric.

use plotters::prelude::{Color, RGBColor};

use super::axis::Axis;
use super::plot::{Frame, Plot};
use super::range::room;
use crate::analysis::Groups;
use crate::evaluate::metrics::{Direction, Metric};
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, WIDE, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};

/// Height of a row, of the space above a panel and of the space below it, in pixels.
const ROW: i32 = 22;
const ABOVE: i32 = 30;
const BELOW: i32 = 30;
/// Number of panels side by side, before a new band of panels starts below.
const PANELS: usize = 3;
/// Range of the width of the labels' column, in pixels.
const LABELS: std::ops::RangeInclusive<i32> = 100..=280;
/// Space between two panels, in pixels.
const GAP: i32 = 46;

/// Shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Dot,
    Ring,
    Cross,
    /// A mark among many: smaller and translucent.
    Speck,
}

/// One value, with its interval if it has one.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub shape: Shape,
    /// Exact value, for a tooltip.
    pub text: String,
}

/// One row of marks.
pub(super) struct DotRow {
    pub label: String,
    pub colour: RGBColor,
    /// One list of marks per metric.
    pub marks: Vec<Vec<Mark>>,
}

/// The whole figure.
pub(super) struct Dots {
    pub title: String,
    /// Value at which a vertical line crosses all rows.
    pub reference: Option<f64>,
    pub rows: Vec<DotRow>,
}

impl Mark {
    fn reach(&self) -> [f64; 3] {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        [low, self.value, high]
    }
}

impl Dots {
    /// Draws the figure of these groups; `None` if there is no mark.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn figure(&self, groups: &Groups<'_>, texts: FigureTexts) -> Result<Option<Figure>, ReportError> {
        if self.rows.iter().all(|row| row.marks.iter().all(Vec::is_empty)) {
            return Ok(None);
        }
        let has_marks =
            |place: &usize| self.rows.iter().any(|row| row.marks.get(*place).is_some_and(|marks| !marks.is_empty()));
        let metrics: Vec<(usize, Metric)> =
            groups.metrics.iter().copied().enumerate().filter(|(place, _)| has_marks(place)).collect();
        let columns = metrics.len().min(PANELS) as i32;
        let widest = self.rows.iter().map(|row| text_width(&row.label, TEXT)).max().unwrap_or(0) + 34;
        let left = widest.clamp(*LABELS.start(), *LABELS.end()) + 8;
        let labels: Vec<String> = self.rows.iter().map(|row| fitted_middle(&row.label, left - 36)).collect();
        let panel = (WIDE - 20 - left - GAP * (columns - 1)) / columns;
        let band = ABOVE + ROW * self.rows.len() as i32 + BELOW;
        let height = 30 + band * metrics.len().div_ceil(PANELS) as i32;
        Figure::draw(texts, (WIDE, height), |canvas| {
            canvas.title(&groups.marked(&self.title))?;
            for (place, (metric_place, metric)) in metrics.iter().enumerate() {
                let (column, row) = ((place % PANELS) as i32, (place / PANELS) as i32);
                let frame_left = left + column * (panel + GAP);
                let top = 30 + row * band + ABOVE;
                let frame = Frame {
                    left: frame_left,
                    top,
                    right: frame_left + panel,
                    bottom: top + ROW * self.rows.len() as i32,
                };
                if column == 0 {
                    self.labels(canvas, frame, &labels)?;
                }
                self.panel(canvas, frame, *metric, *metric_place)?;
            }
            Ok(())
        })
        .map(Some)
    }

    fn labels(&self, canvas: &Canvas<'_>, frame: Frame, labels: &[String]) -> DrawResult {
        for (index, (row, label)) in self.rows.iter().zip(labels).enumerate() {
            let y = frame.top + ROW * index as i32 + ROW / 2;
            canvas.fill([(12, y - 5), (22, y + 5)], row.colour)?;
            canvas.text((28, y), Anchor::Left, label)?;
        }
        Ok(())
    }

    fn panel(&self, canvas: &Canvas<'_>, frame: Frame, metric: Metric, place: usize) -> DrawResult {
        let marks = || self.rows.iter().flat_map(move |row| row.marks.get(place).into_iter().flatten());
        let reach = marks().flat_map(Mark::reach).chain(self.reference);
        let (low, high) = room(reach).unwrap_or((0.0, 1.0));
        let caption = match metric.direction {
            Direction::Higher => metric.label.to_owned(),
            Direction::Lower => format!("{} (lower is better)", metric.label),
        };
        let x = Axis::linear(low, high, frame.ticks_across());
        let x = if self.reference.is_some() { x.signed() } else { x };
        let plot = Plot { canvas, frame, x, y: Axis::with_ticks(0.0, self.rows.len() as f64, Vec::new()) };
        plot.horizontal_axis("")?;
        canvas.text((frame.left, frame.top - 12), Anchor::Left, &caption)?;
        if let Some(at) = self.reference {
            let x = plot.at((at, 0.0)).0;
            canvas.line(vec![(x, frame.top), (x, frame.bottom)], INK, 1)?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = self.rows.len() as f64 - index as f64 - 0.5;
            for mark in row.marks.get(place).into_iter().flatten() {
                if let Some((from, to)) = mark.interval {
                    canvas.interval(plot.at((from, y)), plot.at((to, y)), row.colour)?;
                }
                let at = plot.at((mark.value, y));
                match mark.shape {
                    Shape::Dot => canvas.dot(at, 5, row.colour)?,
                    Shape::Ring => canvas.ring(at, 4, row.colour)?,
                    Shape::Cross => canvas.cross(at, 5, row.colour)?,
                    Shape::Speck => canvas.dot(at, 3, row.colour.mix(0.6))?,
                }
                canvas.tooltip(at, 5, &format!("{}: {}", row.label, mark.text));
            }
        }
        Ok(())
    }
}
