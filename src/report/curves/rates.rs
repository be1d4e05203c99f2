//! Plots rates against rates: two panels side by side, one line per variant, with the mean over its seeds and their range.

use plotters::prelude::Color;

use super::average::Average;
use super::runs::RunCurves;
use super::subject::Subject;
use crate::analysis::Groups;
use crate::evaluate::metrics::PRO_LIMIT;
use crate::evaluate::{Curve, Curves};
use crate::report::canvas::{Anchor, Canvas, DrawResult};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, MESH};
use crate::report::figures::axis::Axis;
use crate::report::figures::legend::Legend;
use crate::report::figures::palette::Palette;
use crate::report::figures::panels::Panels;
use crate::report::figures::plot::{Frame, Plot};
use crate::report::values::{Values, number, text};

/// One panel.
struct Panel {
    title: &'static str,
    /// Names of the x and y axes.
    axes: (&'static str, &'static str),
    /// End of the x axis.
    end: f64,
    curve: fn(&Curves) -> &Curve,
    /// Whether to draw the diagonal that random guessing would give.
    diagonal: bool,
}

/// One figure.
pub(super) struct Rate {
    /// Start of the file name.
    name: &'static str,
    title: &'static str,
    panels: [Panel; 2],
}

/// The figures of each category.
pub(super) const RATES: [Rate; 2] = [
    Rate {
        name: "roc",
        title: "receiver operating characteristic",
        panels: [
            Panel {
                title: "images",
                axes: ("false positive rate", "true positive rate"),
                end: 1.0,
                curve: |curves| &curves.image_roc,
                diagonal: true,
            },
            Panel {
                title: "pixels",
                axes: ("false positive rate", "true positive rate"),
                end: 1.0,
                curve: |curves| &curves.pixel_roc,
                diagonal: true,
            },
        ],
    },
    Rate {
        name: "pro",
        title: "per-region overlap, and precision and recall of pixels",
        panels: [
            Panel {
                title: "per-region overlap, up to the limit of AUPRO",
                axes: ("false positive rate", "mean overlap"),
                end: PRO_LIMIT,
                curve: |curves| &curves.pro,
                diagonal: false,
            },
            Panel {
                title: "precision and recall",
                axes: ("recall", "precision"),
                end: 1.0,
                curve: |curves| &curves.precision_recall,
                diagonal: false,
            },
        ],
    },
];

/// Height of a panel, its smallest width, and the space for its texts at the left, top, right and bottom, in pixels.
const PANEL: i32 = 392;
const NARROWEST: i32 = 380;
const AROUND: [i32; 4] = [76, 26, 20, 42];

/// Draws a figure; `None` if no run has these curves.
pub(super) fn rates(subject: &Subject<'_>, rate: &Rate, runs: &[RunCurves]) -> Result<Option<Figure>, ReportError> {
    let groups = subject.groups;
    let lines = rate.panels.each_ref().map(|panel| averages(groups.variants.len(), panel, runs));
    if lines.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let category = subject.category;
    let palette = Palette::of(groups);
    let drawn: Vec<usize> =
        (0..groups.variants.len()).filter(|index| lines.iter().flatten().any(|(of, _)| of == index)).collect();
    let texts = subject.texts(
        rate.name,
        &format!("{category}: {}, mean and range over seeds", rate.title),
        &format!(
            "{category}: {}. A line is the mean over seeds; areas are the ranges of coloured variants.",
            rate.title
        ),
        runs.iter().filter(|run| drawn.contains(&run.variant)),
    );
    let title = groups.marked(&format!("{category}: {}", rate.title));
    let figure = Figure::of_columns(texts, &title, values(groups, rate, &lines, &palette), |sheet| {
        let legend = Legend::of(groups, &palette, &drawn, sheet.width);
        let panels = Panels::new(2, (sheet.width, NARROWEST), 34 + legend.height, PANEL);
        sheet.draw(panels.bottom, |canvas| {
            legend.draw(canvas, 30)?;
            for (place, (panel, lines)) in rate.panels.iter().zip(&lines).enumerate() {
                draw(canvas, panels.place(place).inset(AROUND), panel, lines, &palette)?;
            }
            Ok(())
        })
    })?;
    Ok(Some(figure))
}

/// Returns the points of all lines, with the ranges that are drawn.
fn values(groups: &Groups<'_>, rate: &Rate, lines: &[Vec<(usize, Average)>; 2], palette: &Palette) -> Values {
    let of_panels = rate.panels.iter().zip(lines);
    let lines = of_panels.flat_map(|(panel, lines)| lines.iter().map(move |line| (panel.title, line)));
    let points = lines.flat_map(|(panel, (variant, average))| {
        let range = average.range.as_slice();
        let range = if palette.is_highlighted(*variant) { range } else { &[] };
        average.mean.iter().enumerate().map(move |(place, (x, mean))| {
            // The outline goes back along the highest values.
            let high = range.len().checked_sub(place + 1).and_then(|back| range.get(back));
            let value = |point: Option<&(f64, f64)>| number(point.map(|(_, value)| *value));
            let label = &groups.variants[*variant].label;
            [text(panel), text(label), number(*x), number(*mean), value(range.get(place)), value(high)]
        })
    });
    Values::of(["panel", "variant", "x", "mean", "low", "high"], points)
}

/// Returns the averaged curve of each variant that has one.
fn averages(variants: usize, panel: &Panel, runs: &[RunCurves]) -> Vec<(usize, Average)> {
    let of = |variant: usize| {
        let curves: Vec<&Curve> =
            runs.iter().filter(|run| run.variant == variant).map(|run| (panel.curve)(&run.curves)).collect();
        Some((variant, Average::of(&curves, panel.end)?))
    };
    (0..variants).filter_map(of).collect()
}

fn draw(canvas: &Canvas<'_>, frame: Frame, panel: &Panel, lines: &[(usize, Average)], palette: &Palette) -> DrawResult {
    let x = Axis::linear(0.0, panel.end, 6);
    let plot = Plot { canvas, frame, x, y: Axis::linear(0.0, 1.0, 6) };
    plot.axes(panel.title, panel.axes.0)?;
    canvas.upright((frame.left - 46, (frame.top + frame.bottom) / 2), Anchor::Centre, panel.axes.1)?;
    if panel.diagonal {
        plot.curve(&[(0.0, 0.0), (panel.end, 1.0)], MESH, 2)?;
    }
    let order = palette.stacked(lines.iter().map(|(variant, _)| *variant));
    let of = |variant: usize| lines.iter().find(|(known, _)| *known == variant).map(|(_, average)| (variant, average));
    let averages: Vec<(usize, &Average)> = order.into_iter().filter_map(of).collect();
    for (variant, average) in
        averages.iter().filter(|(variant, average)| palette.is_highlighted(*variant) && !average.range.is_empty())
    {
        plot.area(&average.range, palette.colour(*variant).mix(0.12))?;
    }
    averages.iter().try_for_each(|(variant, average)| plot.curve(&average.mean, palette.colour(*variant), 2))
}
