//! Plots rates against rates: two panels side by side, one line per variant, with the mean over its seeds and their range.

use plotters::prelude::Color;

use super::average::Average;
use super::runs::RunCurves;
use super::subject::Subject;
use crate::evaluate::metrics::PRO_LIMIT;
use crate::evaluate::{Curve, Curves};
use crate::report::canvas::{Anchor, Canvas, DrawResult, WIDE};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, MESH};
use crate::report::figures::axis::Axis;
use crate::report::figures::legend::Legend;
use crate::report::figures::palette::Palette;
use crate::report::figures::plot::{Frame, Plot};

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

/// Side of a panel's drawn area, in pixels.
const SIDE: i32 = 324;

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
    let legend = Legend::of(groups, &palette, &drawn);
    let top = 34 + legend.height + 26;
    let figure = Figure::draw(texts, (WIDE, top + SIDE + 42), |canvas| {
        canvas.title(&groups.marked(&format!("{category}: {}", rate.title)))?;
        legend.draw(canvas, 30)?;
        for (place, (panel, lines)) in rate.panels.iter().zip(&lines).enumerate() {
            let left = WIDE / 2 * place as i32 + 76;
            let frame = Frame { left, top, right: left + SIDE, bottom: top + SIDE };
            draw(canvas, frame, panel, lines, &palette)?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
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
