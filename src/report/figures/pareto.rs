//! Draws each variant's result against one of its costs, with the Pareto front.

use plotters::prelude::Color;

use super::axis::{Axis, spans_decades};
use super::labels::Labels;
use super::legend::Legend;
use super::palette::Palette;
use super::plot::{Frame, Plot};
use super::range::room;
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::analysis::{Costs, Groups};
use crate::config::BASELINE;
use crate::evaluate::Selection;
use crate::evaluate::metrics::{Direction, Metric};
use crate::export::Value;
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, PAPER};
use crate::report::table::count_value;
use crate::report::values::{Values, number, text};
use crate::statistics::{Summary, summary};

/// A cost.
struct Cost {
    /// End of the figure's name.
    key: &'static str,
    name: &'static str,
    read: fn(&Costs) -> Option<f64>,
}

/// All costs; a page shows the first one until a reader chooses another.
const COSTS: [Cost; 4] = [
    Cost { key: "parameters", name: "trained parameters", read: |costs| costs.parameters },
    Cost { key: "flops", name: "floating-point operations per image", read: |costs| costs.flops },
    Cost {
        key: "forward",
        name: "milliseconds per image (forward pass)",
        read: |costs| costs.forward.map(|times| times.median),
    },
    Cost { key: "training", name: "seconds of training", read: |costs| costs.training.map(|times| times.median) },
];

/// Maximum number of grey dots. If there are more variants, only every n-th is drawn; the front uses all.
const MOST_DOTS: usize = 300;
/// Height of the panel with its texts, and their space at its left, top, right and bottom, in pixels.
const PANEL: i32 = 210;
const AROUND: [i32; 4] = [66, 34, 22, 42];

/// One variant in one panel.
struct Point {
    variant: usize,
    cost: f64,
    /// Mean and deviation over seeds.
    value: Summary,
}

/// One figure per cost; none if no variant has both a number and this cost.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Cost,
    draw: |source| {
        let (groups, metric) = (source.groups, source.groups.first_metric());
        let categories = groups.common_categories(Selection::Selected, metric);
        let value = |variant| {
            let by_seed = groups.means(variant, &categories, Selection::Selected, metric);
            summary(&by_seed.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        let measured: Vec<Option<Summary>> = groups.variants.iter().map(value).collect();
        let palette = Palette::of(groups);
        let points = |cost: &Cost| -> Vec<Point> {
            let all = source.costs.iter().zip(&measured).enumerate();
            all.filter_map(|(variant, (costs, value))| {
                Some(Point { variant, cost: (cost.read)(costs)?, value: (*value)? })
            })
            .collect()
        };
        let figures = COSTS.iter().map(|cost| (cost, points(cost))).filter(|(_, points)| !points.is_empty());
        figures.map(|(cost, points)| front(groups, cost, &points, &palette, source.prefix)).collect()
    },
};

fn front(
    groups: &Groups<'_>,
    cost: &Cost,
    points: &[Point],
    palette: &Palette,
    prefix: &str,
) -> Result<Figure, ReportError> {
    let metric = groups.first_metric();
    let label = metric.label;
    let others: Vec<usize> =
        points.iter().map(|point| point.variant).filter(|variant| !palette.is_highlighted(*variant)).collect();
    let every = others.len().div_ceil(MOST_DOTS).max(1);
    let highlighted =
        palette.highlighted.iter().filter(|variant| points.iter().any(|point| point.variant == **variant));
    let drawn: Vec<usize> = others.iter().step_by(every).chain(highlighted).copied().collect();
    let thinned = if every > 1 { format!(" Only one grey variant in {every} is drawn.") } else { String::new() };
    let texts = FigureTexts::of(
        groups,
        drawn.iter().flat_map(|index| groups.of_variant(&groups.variants[*index])),
        format!("{prefix}pareto-{}", cost.key),
        &format!("{label} of each variant against {}, with the Pareto front", cost.name),
        &format!(
            "Mean {label} of each variant against {}. Lines are ± one standard deviation over seeds. The step line joins variants that \
             no cheaper variant beats.{thinned}",
            cost.name
        ),
    );
    let title = groups.marked(&format!("{label} against {}", cost.name));
    let figure = Figure::of_columns(texts, &title, values(groups, metric, points, &drawn), |sheet| {
        let legend = Legend::of(groups, palette, &drawn, sheet.width);
        let top = 34 + legend.height;
        let whole = Frame { left: 0, top, right: sheet.width, bottom: top + PANEL };
        sheet.draw(whole.bottom, |canvas| {
            legend.draw(canvas, 30)?;
            panel(canvas, whole.inset(AROUND), cost.name, metric, points, (groups, palette, &drawn))
        })
    });
    figure.map(|figure| figure.chosen_as(cost.name))
}

/// Returns the drawn points, and those of the front.
fn values(groups: &Groups<'_>, metric: Metric, points: &[Point], drawn: &[usize]) -> Values {
    let front = pareto(points, metric.direction);
    let rows = points.iter().filter_map(|point| {
        let on_front = front.contains(&(point.cost, point.value.mean));
        (on_front || drawn.contains(&point.variant)).then(|| {
            [
                text(&groups.variants[point.variant].label),
                number(point.cost),
                number(point.value.mean),
                number(point.value.deviation),
                count_value(point.value.count),
                Value::Boolean(on_front),
            ]
        })
    });
    Values::of(["variant", "cost", "mean", "deviation", "seeds", "on_front"], rows)
}

fn panel(
    canvas: &Canvas<'_>,
    frame: Frame,
    caption: &str,
    metric: Metric,
    points: &[Point],
    (groups, palette, drawn): (&Groups<'_>, &Palette, &[usize]),
) -> DrawResult {
    let (low_cost, high_cost) =
        points.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), point| (l.min(point.cost), h.max(point.cost)));
    let x = if spans_decades(low_cost, high_cost) {
        Axis::logarithmic(low_cost / 1.3, high_cost * 1.3, frame.ticks_across())
    } else {
        let margin = (0.12 * (high_cost - low_cost)).max(0.02 * high_cost).max(1e-9);
        Axis::linear((low_cost - margin).max(0.0), high_cost + margin, frame.ticks_across())
    };
    let ends = |point: &Point| {
        let deviation = point.value.deviation.filter(|_| palette.is_highlighted(point.variant)).unwrap_or(0.0);
        (point.value.mean - deviation, point.value.mean + deviation)
    };
    let reach = points.iter().map(ends).flat_map(|(low, high)| [low, high]);
    let (low, high) = room(reach).unwrap_or((0.0, 1.0));
    let plot = Plot { canvas, frame, x, y: Axis::linear(low, high, frame.ticks_upwards()) };
    plot.axes(metric.label, caption)?;
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (cost, value) in pareto(points, metric.direction) {
        steps.extend(steps.last().map(|&(_, before)| (cost, before)));
        steps.push((cost, value));
    }
    plot.curve(&steps, INK.mix(0.6), 1)?;
    let find = |variant: usize| points.iter().find(|point| point.variant == variant);
    for point in palette.stacked(drawn.iter().copied()).into_iter().filter_map(find) {
        let at = plot.at((point.cost, point.value.mean));
        let colour = palette.colour(point.variant);
        if palette.is_highlighted(point.variant) {
            let (from, to) = ends(point);
            if to > from {
                canvas.interval(plot.at((point.cost, from)), plot.at((point.cost, to)), colour)?;
            }
            canvas.dot(at, 6, colour)?;
        } else {
            canvas.dot(at, 3, colour.mix(0.7))?;
        }
        let label = &groups.variants[point.variant].label;
        let text = format!("{label}: {}, {caption}: {}", point.value, exact(point.cost));
        canvas.tooltip_of_run(at, 6, &text, representative(groups, &groups.variants[point.variant]));
    }
    names(&plot, points, groups, palette)
}

/// Writes the ids of the highlighted variants beside their points, where there is room.
fn names(plot: &Plot<'_, '_>, points: &[Point], groups: &Groups<'_>, palette: &Palette) -> DrawResult {
    let Frame { left, top, right, bottom } = plot.frame;
    let at = |point: &Point| plot.at((point.cost, point.value.mean));
    // A label covers neither a point nor an interval.
    let around = points.iter().flat_map(|point| {
        let (x, middle) = at(point);
        let deviation = point.value.deviation.filter(|_| palette.is_highlighted(point.variant)).unwrap_or(0.0);
        let upper = plot.at((point.cost, point.value.mean + deviation)).1;
        let reach = middle - upper;
        (-reach..=reach).step_by(6).map(move |dy| (x, middle + dy)).chain([(x, middle)])
    });
    let mut labels = Labels::new([left + 2, top, right, bottom - 2], around);
    for variant in &palette.highlighted {
        let Some(point) = points.iter().find(|point| point.variant == *variant) else { continue };
        let label = &groups.variants[*variant].label;
        let short =
            if groups.variants[*variant].baseline { BASELINE } else { label.split(' ').next().unwrap_or(label) };
        if let Some(place) = labels.place(at(point), short) {
            let patch = [(place.0 - 1, place.1 - 7), (place.0 + text_width(short, TEXT) + 1, place.1 + 7)];
            plot.canvas.fill(patch, PAPER.mix(0.8))?;
            plot.canvas.text(place, Anchor::Left, short)?;
        }
    }
    Ok(())
}

/// Formats a cost with all digits that matter.
fn exact(cost: f64) -> String {
    if cost >= 1000.0 { format!("{cost:.0}") } else { crate::text::round_to_digits(cost, 4).to_string() }
}

/// Returns the Pareto front by cost: the points that no other point beats at the same or a lower cost.
fn pareto(points: &[Point], direction: Direction) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = points.iter().map(|point| (point.cost, point.value.mean)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_the_points_that_no_cheaper_point_beats() {
        let point = |cost, mean| Point { variant: 0, cost, value: Summary { count: 1, mean, deviation: None } };
        let points = [point(3.0, 0.9), point(1.0, 0.5), point(2.0, 0.4), point(1.0, 0.6), point(4.0, 0.9)];
        assert_eq!(pareto(&points, Direction::Higher), [(1.0, 0.6), (3.0, 0.9)]);
        assert_eq!(pareto(&points, Direction::Lower), [(1.0, 0.5), (2.0, 0.4)]);
        assert_eq!([exact(11_200_000.0), exact(1.234_56)], ["11200000", "1.235"]);
    }
}
