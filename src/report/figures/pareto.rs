//! Draws each variant's result against its costs, with the Pareto front.

use plotters::prelude::*;

use super::legend::{legend, legend_height};
use super::{FigureChapter, FigureKind, ink, room};
use crate::analysis::{Costs, Groups, MAX_DRAWN};
use crate::evaluate::Selection;
use crate::evaluate::metrics::{Direction, Metric};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, digits, plain, series};

/// A cost: its name, and the function that reads it.
type Cost = (&'static str, fn(&Costs) -> Option<f64>);
const COSTS: [Cost; 4] = [
    ("trained parameters", |costs| costs.parameters),
    ("floating-point operations per image", |costs| costs.flops),
    ("milliseconds per image (forward pass)", |costs| costs.forward),
    ("seconds of training", |costs| costs.training),
];

/// Maximum number of dots for variants without a colour of their own. If there are more, only every n-th is drawn; the front uses all.
const MOST_DOTS: usize = 300;

/// One variant in one panel.
struct Point {
    variant: usize,
    cost: f64,
    value: f64,
}

/// One panel per cost; no figure if no variant has both a number and a cost.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Cost,
    draw: |source| Ok(front(source.groups, source.costs, source.prefix)?.into_iter().collect()),
};

fn front(groups: &Groups<'_>, costs: &[Costs], prefix: &str) -> Result<Option<Figure>, ReportError> {
    let metric = groups.first_metric();
    let label = metric.label;
    let categories = groups.common_categories(Selection::Selected, metric);
    let means = groups.variants.iter().map(|variant| groups.mean(variant, &categories, Selection::Selected, metric));
    let measured: Vec<(&Costs, Option<f64>)> = costs.iter().zip(means).collect();
    let points = |(_, read): &Cost| -> Vec<Point> {
        let all = measured.iter().enumerate();
        all.filter_map(|(variant, (costs, value))| Some(Point { variant, cost: read(costs)?, value: (*value)? }))
            .collect()
    };
    let panels: Vec<(&str, Vec<Point>)> =
        COSTS.iter().map(|cost| (cost.0, points(cost))).filter(|(_, points)| !points.is_empty()).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let others = groups.variants.len().saturating_sub(MAX_DRAWN);
    let rest = match others {
        0 => String::new(),
        1..=MOST_DOTS => format!(" (grey: the other {others} variants)"),
        _ => format!(" (grey: one in {} of the other {others} variants)", others.div_ceil(MOST_DOTS)),
    };
    let title = groups.marked(&format!("{label} against cost, with the Pareto front{rest}"));
    let about = groups
        .about(format!("{prefix}pareto"), &format!("{label} of each variant against its costs, with the Pareto front"));
    let (columns, head) = (2, 36 + legend_height(&groups.variants));
    let height = head + 230 * panels.len().div_ceil(columns) as u32;
    Figure::draw(about, (960, height), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        legend(area, &groups.variants, 34)?;
        let (_, below) = area.split_vertically(head);
        for (tile, (caption, points)) in
            below.split_evenly((panels.len().div_ceil(columns), columns)).iter().zip(&panels)
        {
            panel(tile, caption, metric, points)?;
        }
        Ok(())
    })
    .map(Some)
}

fn panel(area: &Area<'_>, caption: &str, metric: Metric, points: &[Point]) -> DrawResult {
    let (left, right) = room(points.iter().map(|point| point.cost)).unwrap_or((0.0, 1.0));
    let (low, high) = room(points.iter().map(|point| point.value)).unwrap_or((0.0, 1.0));
    let (digits, costs) = (digits(low, high), CostAxis::new(left, right));
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .caption(format!("{} by {caption}", metric.label), ("sans-serif", 13).into_font().color(&INK))
        .x_label_area_size(26)
        .y_label_area_size(56)
        .build_cartesian_2d(left.max(0.0)..right, low..high)?;
    plain(&mut chart.configure_mesh())
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|cost| costs.text(*cost))
        .y_label_formatter(&|value| format!("{value:.digits$}"))
        .draw()?;
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (cost, value) in pareto(points, metric.direction) {
        steps.extend(steps.last().map(|&(_, before)| (cost, before)));
        steps.push((cost, value));
    }
    chart.draw_series(LineSeries::new(steps, INK.stroke_width(1)))?;
    let (named, others): (Vec<&Point>, Vec<&Point>) = points.iter().partition(|point| point.variant < MAX_DRAWN);
    let every = others.len().div_ceil(MOST_DOTS).max(1);
    let dot = |at: &Point, size: u32| Circle::new((at.cost, at.value), size, series(at.variant).filled());
    chart.draw_series(others.into_iter().step_by(every).map(|at| dot(at, 3)))?;
    chart.draw_series(named.into_iter().map(|at| dot(at, 6)))?;
    Ok(())
}

/// Returns the Pareto front by cost: the points that no other point beats at the same or a lower cost.
fn pareto(points: &[Point], direction: Direction) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = points.iter().map(|point| (point.cost, point.value)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(direction.rank(a.1, b.1)));
    let mut best = f64::NEG_INFINITY;
    sorted.retain(|(_, value)| {
        direction.gain(*value) > best && {
            best = direction.gain(*value);
            true
        }
    });
    sorted
}

/// Unit and decimals of an axis of costs, so that the numbers at its ticks differ.
struct CostAxis {
    unit: f64,
    suffix: &'static str,
    decimals: usize,
}

impl CostAxis {
    fn new(low: f64, high: f64) -> Self {
        let units = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
        let (unit, suffix) = units.into_iter().find(|(unit, _)| high >= *unit).unwrap_or((1.0, ""));
        Self { unit, suffix, decimals: digits(low / unit, high / unit) }
    }

    /// Formats a cost: "11.2 M".
    fn text(&self, cost: f64) -> String {
        format!("{:.*}{}", self.decimals, cost / self.unit, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_the_points_that_no_cheaper_point_beats() {
        let point = |cost, value| Point { variant: 0, cost, value };
        let points = [point(3.0, 0.9), point(1.0, 0.5), point(2.0, 0.4), point(1.0, 0.6), point(4.0, 0.9)];
        assert_eq!(pareto(&points, Direction::Higher), [(1.0, 0.6), (3.0, 0.9)]);
        assert_eq!(pareto(&points, Direction::Lower), [(1.0, 0.5), (2.0, 0.4)]);
    }

    #[test]
    fn the_numbers_at_ticks_differ() {
        let texts = |low, high, ticks: [f64; 3]| ticks.map(|tick| CostAxis::new(low, high).text(tick));
        assert_eq!(texts(0.5, 0.75, [0.55, 0.6, 0.65]), ["0.55", "0.60", "0.65"]);
        assert_eq!(texts(1100.0, 1900.0, [1200.0, 1400.0, 1600.0]), ["1.20 k", "1.40 k", "1.60 k"]);
        assert_eq!(texts(1e5, 9e5, [2e5, 4e5, 6e5]), ["200 k", "400 k", "600 k"]);
        assert_eq!(texts(17e6, 23e6, [18e6, 20e6, 22e6]), ["18.0 M", "20.0 M", "22.0 M"]);
    }
}
