//! Plots rates against rates: two panels side by side, one line per variant, with the mean over its seeds and their range.

use plotters::prelude::*;

use super::average::Average;
use super::runs::RunCurves;
use super::subject::Subject;
use crate::evaluate::metrics::PRO_LIMIT;
use crate::evaluate::{Curve, Curves};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, FigureTexts, INK, MESH, plain, series};
use crate::report::figures::ink;
use crate::report::figures::legend::{legend, legend_height};

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

/// Height above the legend, in pixels.
const HEAD: u32 = 36;

/// Draws a figure; `None` if no run has these curves.
pub(super) fn rates(subject: &Subject<'_>, rate: &Rate, runs: &[RunCurves]) -> Result<Option<Figure>, ReportError> {
    let groups = subject.groups;
    let lines = rate.panels.each_ref().map(|panel| averages(groups.variants.len(), panel, runs));
    if lines.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let title = format!("{}: {}, mean and range over seeds", subject.category, rate.title);
    let name = format!("{}{}-{}", subject.prefix, rate.name, subject.category);
    let about = FigureTexts { name, description: groups.marked(&title), population: subject.population.clone() };
    let top = HEAD + legend_height(&groups.variants);
    let figure = Figure::draw(about, (960, top + 380), |area| {
        area.draw_text(&groups.marked(&title), &ink(15), (12, 8))?;
        legend(area, &groups.variants, HEAD)?;
        let (_, below) = area.split_vertically(top as i32);
        let (left, right) = below.split_horizontally(480);
        for ((area, panel), lines) in [left, right].iter().zip(&rate.panels).zip(&lines) {
            draw(area, panel, lines)?;
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

fn draw(area: &Area<'_>, panel: &Panel, lines: &[(usize, Average)]) -> DrawResult {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .caption(panel.title, ("sans-serif", 13).into_font().color(&INK))
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..panel.end, 0.0..1.0)?;
    plain(&mut chart.configure_mesh())
        .axis_desc_style(("sans-serif", 12).into_font().color(&INK))
        .x_desc(panel.axes.0)
        .y_desc(panel.axes.1)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|x| format!("{x:.2}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .draw()?;
    if panel.diagonal {
        chart.draw_series(LineSeries::new([(0.0, 0.0), (panel.end, 1.0)], MESH.stroke_width(2)))?;
    }
    for (variant, average) in lines.iter().filter(|(_, average)| !average.range.is_empty()) {
        chart.draw_series(std::iter::once(Polygon::new(average.range.clone(), series(*variant).mix(0.15).filled())))?;
    }
    for (variant, average) in lines {
        chart.draw_series(LineSeries::new(average.mean.iter().copied(), series(*variant).stroke_width(2)))?;
    }
    Ok(())
}
