//! Draws training curves by epoch, two panels side by side: losses with the selected epoch, weights of losses, norms of gradients.

use std::collections::BTreeMap;

use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::legend::{legend, legend_height};
use super::{FigureChapter, FigureKind, ink};
use crate::analysis::{Groups, MAX_DRAWN, Rows};
use crate::evaluate::{Fact, Selection};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, digits, left_out, plain, series};
use crate::stages::StageKind;
use crate::store::RunRow;

/// Points (epoch, value), by epoch.
type Line = Vec<(f64, f64)>;

/// Maximum number of lines that a reader can distinguish in a panel. If there are more, the panel has one line per variant, the median over
/// its seeds.
const MOST_LINES: usize = 36;

/// The content of a figure, in two panels.
struct Subject {
    /// Start of the file name.
    name: &'static str,
    title: &'static str,
    captions: [&'static str; 2],
    /// Metrics of the joint stage.
    metrics: [&'static str; 2],
    /// Whether the second panel marks the selected epoch, if each line is one run.
    marks_selection: bool,
}

/// The subjects of the figures. Runs that lack one of the two metrics are left out: a rule that does not move weights has none.
const SUBJECTS: [Subject; 3] = [
    Subject {
        name: "loss",
        title: "Σ over levels of mean ‖T^ − Ŝ^‖² by epoch",
        captions: ["training", "held-out normals"],
        metrics: ["loss_similarity", "held_out_loss"],
        marks_selection: true,
    },
    Subject {
        name: "weights",
        title: "loss weights by epoch",
        captions: ["similarity", "reconstruction"],
        metrics: ["weight_similarity", "weight_reconstruction"],
        marks_selection: false,
    },
    Subject {
        name: "gradients",
        title: "gradient norms by epoch, before clipping",
        captions: ["student", "auto-encoders"],
        metrics: ["gradient_norm_student", "gradient_norm_autoencoder"],
        marks_selection: false,
    },
];

/// Curves of one run or of one variant, one per panel.
struct Curves {
    variant: usize,
    panels: [Line; 2],
    selected: Option<f64>,
}

/// One figure per subject and category whose runs have curves. Figure names start with `prefix`.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Learning, draw: |source| learning(source.rows, source.groups, source.prefix) };

fn learning(rows: &Rows, groups: &Groups<'_>, prefix: &str) -> Result<Vec<Figure>, ReportError> {
    let joint = |run: &RunRow| Some(rows.stages_of(&run.id).find(|stage| stage.kind == StageKind::Joint)?.id.as_str());
    let mut lines: BTreeMap<(&str, &str), Line> = BTreeMap::new();
    for point in &rows.curves {
        if let Some(value) = point.value.filter(|value| *value > 0.0) {
            lines.entry((&point.stage_id, &point.name)).or_default().push((point.step as f64, value));
        }
    }
    let line = |run: &RunRow, name: &str| -> Line {
        joint(run).and_then(|stage| lines.get(&(stage, name))).cloned().unwrap_or_default()
    };
    let mut figures = Vec::new();
    for (category, _) in &groups.categories {
        for subject in &SUBJECTS {
            let mut curves = Vec::new();
            for (variant, trial) in groups.variants.iter().take(MAX_DRAWN).enumerate() {
                curves.extend(groups.runs(trial, category).map(|run| Curves {
                    variant,
                    panels: subject.metrics.map(|name| line(run, name)),
                    selected: groups.value(run, Selection::Selected, Fact::Epoch).filter(|_| subject.marks_selection),
                }));
            }
            curves.retain(|run| run.panels.iter().all(|line| !line.is_empty()));
            if !curves.is_empty() {
                let many = curves.len() > MOST_LINES;
                let curves = if many { medians(&curves) } else { curves };
                let what = if many { "median over seeds" } else { "one line per seed" };
                figures.push(figure(groups, category, subject, (&curves, what), prefix)?);
            }
        }
    }
    Ok(figures)
}

/// Returns one line per variant: at each epoch, the median of the runs that have this epoch.
fn medians(runs: &[Curves]) -> Vec<Curves> {
    let median = |runs: &[Curves], panel: usize| -> Line {
        let mut points: Line = runs.iter().flat_map(|run| run.panels[panel].iter().copied()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let middle = |of_epoch: &[(f64, f64)]| {
            let value = |place: usize| of_epoch[place].1;
            (of_epoch[0].0, (value((of_epoch.len() - 1) / 2) + value(of_epoch.len() / 2)) / 2.0)
        };
        points.chunk_by(|a, b| a.0 == b.0).map(middle).collect()
    };
    let of_variant = |runs: &[Curves]| Curves {
        variant: runs[0].variant,
        panels: [0, 1].map(|panel| median(runs, panel)),
        selected: None,
    };
    runs.chunk_by(|a, b| a.variant == b.variant).map(of_variant).collect()
}

/// Draws a figure. `curves` comes with a description of each line.
fn figure(
    groups: &Groups<'_>,
    category: &str,
    subject: &Subject,
    (curves, what): (&[Curves], &str),
    prefix: &str,
) -> Result<Figure, ReportError> {
    let name = format!("{prefix}{}-{category}", subject.name);
    let [left, right] = subject.captions;
    let description = format!("{category}: {} ({left}; {right})", subject.title);
    let legend_height = legend_height(&groups.variants);
    let about = groups.about(name, &description);
    Figure::draw(about, (960, 320 + legend_height), |area| {
        let rest = left_out(groups.variants.len());
        let title = format!("{category}: {}, {what}{rest}", subject.title);
        let title = groups.marked(&title);
        area.draw_text(&title, &ink(15), (12, 8))?;
        legend(area, &groups.variants, 36)?;
        let (_, below) = area.split_vertically(36 + legend_height as i32);
        let (left, right) = below.split_horizontally(480);
        let marked = curves.iter().any(|run| run.selected.is_some());
        let marks = if marked { " (○ selected epoch)" } else { "" };
        panel(&left, subject.captions[0], curves, |run| &run.panels[0], |_| None)?;
        panel(&right, &format!("{}{marks}", subject.captions[1]), curves, |run| &run.panels[1], |run| run.selected)
    })
}

fn panel(
    area: &Area<'_>,
    caption: &str,
    curves: &[Curves],
    line: impl Fn(&Curves) -> &Line,
    mark: impl Fn(&Curves) -> Option<f64>,
) -> DrawResult {
    let values = || curves.iter().flat_map(&line).map(|(_, value)| *value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let last = curves.iter().flat_map(&line).map(|(epoch, _)| *epoch).fold(2.0, f64::max);
    if high <= 0.0 {
        return Ok(());
    }
    let (low, high) = (0.93 * low, 1.07 * high);
    // One more digit than on a linear axis, because a logarithmic axis shows small values next to large ones.
    let digits = digits(low, high) + 1;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .caption(caption, ("sans-serif", 13).into_font().color(&INK))
        .x_label_area_size(26)
        .y_label_area_size(52)
        .build_cartesian_2d(1.0..last, (low..high).log_scale().with_key_points(ticks(low, high)))?;
    plain(&mut chart.configure_mesh())
        .x_labels(8)
        .y_labels(14)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|value| format!("{value:.digits$}"))
        .draw()?;
    for run in curves {
        draw_run(&mut chart, line(run), series(run.variant), mark(run))?;
    }
    Ok(())
}

/// Returns the tick values of a logarithmic axis: 1, 2 and 5 of each decade, or evenly spread values if these are fewer than three.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let inside = |value: &f64| (low..=high).contains(value);
    let round: Vec<f64> =
        decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade))).filter(inside).collect();
    if round.len() >= 3 {
        return round;
    }
    let spread = (high - low) / 4.0;
    let decade = 10_f64.powf(spread.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|digit| digit * decade).into_iter().rfind(|step| *step <= spread).unwrap_or(decade);
    let first = (low / step).ceil() as i64;
    (first..).map(|index| index as f64 * step).take_while(|value| *value <= high).collect()
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, WithKeyPoints<LogCoord<f64>>>>;

fn draw_run(chart: &mut Chart<'_, '_>, line: &Line, colour: RGBColor, mark: Option<f64>) -> DrawResult {
    chart.draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(1)))?;
    let marked = line.iter().find(|(epoch, _)| Some(*epoch) == mark);
    chart.draw_series(marked.map(|point| Circle::new(*point, 4, colour.stroke_width(2))))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Curves, medians, ticks};

    #[test]
    fn many_seeds_become_the_median_of_each_epoch() {
        let run = |variant: usize, values: &[f64]| {
            let line: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64 + 1.0, *v)).collect();
            Curves { variant, panels: [line.clone(), line], selected: Some(1.0) }
        };
        let curves = medians(&[run(0, &[3.0, 1.0]), run(0, &[1.0, 2.0]), run(0, &[2.0]), run(4, &[5.0])]);
        assert_eq!(curves.iter().map(|curve| curve.variant).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(curves[0].panels[1], [(1.0, 2.0), (2.0, 1.5)]);
        assert_eq!(curves[0].selected, None);
    }

    #[test]
    fn every_axis_has_tick_values() {
        assert_eq!(ticks(0.09, 6.0), [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
        let near: Vec<String> = ticks(0.62, 0.97).iter().map(|value| format!("{value:.2}")).collect();
        assert_eq!(near, ["0.65", "0.70", "0.75", "0.80", "0.85", "0.90", "0.95"]);
        assert!(ticks(0.31, 0.311).len() >= 4);
    }
}
