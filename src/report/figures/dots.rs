//! Draws rows of marks in panels side by side: one row per variant, one panel per metric.

use plotters::prelude::{Color, RGBColor};

use super::axis::Axis;
use super::plot::{Frame, Plot};
use super::range::room;
use crate::analysis::Groups;
use crate::evaluate::metrics::{Direction, Metric};
use crate::export::Value;
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::values::{Values, integer, number, text};

/// Height of a row, of the space above a panel and of the space below it, in pixels.
const ROW: i32 = 22;
const ABOVE: i32 = 30;
const BELOW: i32 = 30;
/// Maximum number of panels side by side, before a new band of panels starts below, and minimum width of a panel, in pixels.
const PANELS: i32 = 3;
const PANEL: i32 = 140;
/// Smallest width of the labels' column, and smallest limit of this width, in pixels.
const LABELS: i32 = 100;
const LABELS_LIMIT: i32 = 190;
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
pub(super) struct Mark<'r> {
    /// What the value is.
    pub what: &'static str,
    /// Category and seed of a value that is from a single run.
    pub of: Option<(&'r str, i64)>,
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub shape: Shape,
    /// Exact value, for a tooltip.
    pub text: String,
    /// The run that the mark leads to.
    pub run: Option<&'r str>,
}

/// One row of marks.
pub(super) struct DotRow<'r> {
    pub label: String,
    pub colour: RGBColor,
    /// One list of marks per metric.
    pub marks: Vec<Vec<Mark<'r>>>,
}

/// The whole figure.
pub(super) struct Dots<'r> {
    pub title: String,
    /// Value at which a vertical line crosses all rows.
    pub reference: Option<f64>,
    pub rows: Vec<DotRow<'r>>,
}

impl Mark<'_> {
    fn reach(&self) -> [f64; 3] {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        [low, self.value, high]
    }
}

impl Dots<'_> {
    /// Draws the figure of these groups; `None` if there is no mark.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn figure(&self, groups: &Groups<'_>, texts: FigureTexts) -> Result<Option<Figure>, ReportError> {
        let has_marks =
            |place: &usize| self.rows.iter().any(|row| row.marks.get(*place).is_some_and(|marks| !marks.is_empty()));
        let metrics: Vec<(usize, Metric)> =
            groups.metrics.iter().copied().enumerate().filter(|(place, _)| has_marks(place)).collect();
        if metrics.is_empty() {
            return Ok(None);
        }
        let widest = self.rows.iter().map(|row| text_width(&row.label, TEXT)).max().unwrap_or(0) + 34;
        Figure::of_columns(texts, &groups.marked(&self.title), self.values(&metrics), |sheet| {
            let left = widest.clamp(LABELS, LABELS_LIMIT.max(sheet.width / 3)) + 8;
            let labels: Vec<String> = self.rows.iter().map(|row| fitted_middle(&row.label, left - 36)).collect();
            let across = sheet.width - 20 - left + GAP;
            let columns = (across / (PANEL + GAP)).clamp(1, PANELS.min(metrics.len() as i32));
            let panel = across / columns - GAP;
            let band = ABOVE + ROW * self.rows.len() as i32 + BELOW;
            let height = 30 + band * metrics.len().div_ceil(columns as usize) as i32;
            sheet.draw(height, |canvas| {
                for (place, (metric_place, metric)) in (0..).zip(&metrics) {
                    let (column, row) = (place % columns, place / columns);
                    let (left, top) = (left + column * (panel + GAP), 30 + row * band + ABOVE);
                    let bottom = top + ROW * self.rows.len() as i32;
                    let frame = Frame { left, top, right: left + panel, bottom };
                    if column == 0 {
                        self.labels(canvas, frame, &labels)?;
                    }
                    self.panel(canvas, frame, *metric, *metric_place)?;
                }
                Ok(())
            })
        })
        .map(Some)
    }

    /// Returns the values of all marks.
    fn values(&self, metrics: &[(usize, Metric)]) -> Values {
        let rows = metrics.iter().flat_map(|metric| self.rows.iter().map(move |row| (metric, row)));
        let marks = rows.flat_map(|((place, metric), row)| {
            row.marks.get(*place).into_iter().flatten().map(move |mark| {
                let (low, high) = mark.interval.unzip();
                let (category, seed) = mark.of.unzip();
                [
                    text(metric.label),
                    text(&row.label),
                    text(mark.what),
                    category.map_or(Value::Absent, text),
                    integer(seed),
                    number(mark.value),
                    number(low),
                    number(high),
                ]
            })
        });
        Values::of(["metric", "variant", "mark", "category", "seed", "value", "low", "high"], marks)
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
                canvas.tooltip_of_run(at, 5, &format!("{}: {}", row.label, mark.text), mark.run);
            }
        }
        Ok(())
    }
}
