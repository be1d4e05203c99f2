//! Draws rows of marks in panels side by side: one row per compared item, one panel per metric.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::few_ticks::FewTicks;
use super::{ink, room};
use crate::analysis::Groups;
use crate::evaluate::metrics::{Direction, Metric};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, digits, plain};
use crate::text::truncated_middle;

/// Width of a panel and height of a row, in pixels; number of panels side by side, before a new band of panels starts below.
const PANEL: u32 = 230;
const ROW: u32 = 24;
const PANELS: usize = 3;
/// Width of a label's character and of its coloured square, in pixels; range of a label's length in characters.
const CHARACTER: usize = 7;
const SQUARE: usize = 30;
const LABEL_CHARACTERS: std::ops::RangeInclusive<usize> = 34..=58;

/// Maximum number of tick labels below a panel.
const TICKS: usize = 3;

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
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub shape: Shape,
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
    pub(super) fn new(value: f64, shape: Shape) -> Self {
        Self { value, interval: None, shape }
    }

    fn reach(self) -> [f64; 3] {
        let (low, high) = self.interval.unwrap_or((self.value, self.value));
        [low, self.value, high]
    }
}

impl Dots {
    /// Returns the width of the label column in characters: the longest label, within [`LABEL_CHARACTERS`].
    fn label_characters(&self) -> usize {
        let longest = self.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        longest.clamp(*LABEL_CHARACTERS.start(), *LABEL_CHARACTERS.end())
    }

    /// Draws the figure of these groups; `None` if there is no mark.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn figure(
        &self,
        groups: &Groups<'_>,
        name: String,
        description: &str,
    ) -> Result<Option<Figure>, ReportError> {
        if self.rows.iter().all(|row| row.marks.iter().all(Vec::is_empty)) {
            return Ok(None);
        }
        let metrics = &groups.metrics;
        let of_labels = (SQUARE + CHARACTER * self.label_characters()) as u32;
        let width = of_labels + PANEL * metrics.len().min(PANELS) as u32;
        let band = 26 + ROW * self.rows.len() as u32 + 34;
        let height = 34 + band * metrics.len().div_ceil(PANELS) as u32;
        Figure::draw(groups.about(name, description), (width, height), |area| {
            area.draw_text(&groups.marked(&self.title), &ink(15), (12, 8))?;
            let (_, mut below) = area.split_vertically(34);
            let mut indices = 0..metrics.len();
            for metrics in metrics.chunks(PANELS) {
                let (of_band, rest) = below.split_vertically(band);
                below = rest;
                let (labels, mut right) = of_band.split_horizontally(of_labels);
                let mut labels = Some((area, &labels));
                for (metric, place) in metrics.iter().zip(&mut indices) {
                    let (panel, rest) = right.split_horizontally(PANEL);
                    right = rest;
                    self.panel(&panel, *metric, place, labels.take())?;
                }
            }
            Ok(())
        })
        .map(Some)
    }

    /// Draws one panel. The first panel of a band also places the labels, which are drawn on the whole figure.
    fn panel(
        &self,
        area: &Area<'_>,
        metric: Metric,
        place: usize,
        labels: Option<(&Area<'_>, &Area<'_>)>,
    ) -> DrawResult {
        let marks = || self.rows.iter().flat_map(move |row| row.marks.get(place).into_iter().flatten());
        let reach = marks().flat_map(|mark| mark.reach()).chain(self.reference);
        let (low, high) = room(reach).unwrap_or((0.0, 1.0));
        let count = self.rows.len() as f64;
        let digits = digits(low, high);
        let caption = match metric.direction {
            Direction::Higher => metric.label.to_owned(),
            Direction::Lower => format!("{} (lower is better)", metric.label),
        };
        let mut chart = ChartBuilder::on(area)
            .margin_left(20)
            .margin_right(24)
            .caption(caption, ("sans-serif", 13).into_font().color(&INK))
            .x_label_area_size(26)
            .build_cartesian_2d(FewTicks::new(low, high, TICKS), 0.0..count)?;
        plain(&mut chart.configure_mesh())
            .disable_y_mesh()
            .disable_y_axis()
            .x_label_formatter(&|value| format!("{value:.digits$}").replace('-', "−"))
            .draw()?;
        if let Some(at) = self.reference {
            chart.draw_series([PathElement::new([(at, 0.0), (at, count)], INK.stroke_width(1))])?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = count - index as f64 - 0.5;
            if let Some((canvas, column)) = labels {
                let (_, pixel) = chart.backend_coord(&(low, y));
                let label = ink(13).pos(Pos::new(HPos::Left, VPos::Center));
                let edge = column.get_base_pixel().0;
                canvas.draw(&Rectangle::new([(edge + 12, pixel - 5), (edge + 22, pixel + 5)], row.colour.filled()))?;
                canvas.draw_text(&truncated_middle(&row.label, self.label_characters()), &label, (edge + 28, pixel))?;
            }
            for mark in row.marks.get(place).into_iter().flatten() {
                if let Some((from, to)) = mark.interval {
                    let line = |ends: [(f64, f64); 2]| PathElement::new(ends, row.colour.stroke_width(2));
                    chart.draw_series([
                        line([(from, y), (to, y)]),
                        line([(from, y - 0.18), (from, y + 0.18)]),
                        line([(to, y - 0.18), (to, y + 0.18)]),
                    ])?;
                }
                let at = (mark.value, y);
                match mark.shape {
                    Shape::Dot => drop(chart.draw_series([Circle::new(at, 5, row.colour.filled())])?),
                    Shape::Ring => drop(chart.draw_series([Circle::new(at, 5, row.colour.stroke_width(2))])?),
                    Shape::Cross => drop(chart.draw_series([Cross::new(at, 5, row.colour.stroke_width(2))])?),
                    Shape::Speck => drop(chart.draw_series([Circle::new(at, 3, row.colour.mix(0.6).filled())])?),
                }
            }
        }
        Ok(())
    }
}
