//! Draws training curves by epoch, two panels side by side: losses with the selected epoch, weights of losses, norms of gradients.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::Axis;
use super::labels::apart;
use super::legend::Legend;
use super::palette::Palette;
use super::panels::Panels;
use super::plot::{Frame, Plot};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Groups, MAX_DRAWN, Rows};
use crate::config::BASELINE;
use crate::evaluate::{Fact, Selection};
use crate::export::Value;
use crate::report::canvas::{Anchor, Canvas, DrawResult};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};
use crate::report::values::{Values, integer, number, text};
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
struct Curves<'r> {
    variant: usize,
    /// The seed of a single run.
    seed: Option<i64>,
    /// The run that the curves lead to: the first of them.
    run: &'r str,
    /// Number of runs behind the curves.
    runs: usize,
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
    let palette = Palette::of(groups);
    let mut figures = Vec::new();
    for (category, _) in &groups.categories {
        for subject in &SUBJECTS {
            let mut curves = Vec::new();
            for (variant, trial) in groups.variants.iter().take(MAX_DRAWN).enumerate() {
                curves.extend(groups.runs(trial, category).map(|run| Curves {
                    variant,
                    seed: Some(run.seed),
                    run: &run.id,
                    runs: 1,
                    panels: subject.metrics.map(|name| line(run, name)),
                    selected: groups.value(run, Selection::Selected, Fact::Epoch).filter(|_| subject.marks_selection),
                }));
            }
            curves.retain(|run| run.panels.iter().all(|line| !line.is_empty()));
            if !curves.is_empty() {
                let many = curves.len() > MOST_LINES;
                let curves = if many { medians(&curves) } else { curves };
                figures.push(figure(groups, &palette, category, subject, &curves, prefix)?);
            }
        }
    }
    Ok(figures)
}

/// Returns one line per variant: at each epoch, the median of the runs that have this epoch.
fn medians<'r>(runs: &[Curves<'r>]) -> Vec<Curves<'r>> {
    let median = |runs: &[Curves<'_>], panel: usize| -> Line {
        let mut points: Line = runs.iter().flat_map(|run| run.panels[panel].iter().copied()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let middle = |of_epoch: &[(f64, f64)]| {
            let value = |place: usize| of_epoch[place].1;
            (of_epoch[0].0, (value((of_epoch.len() - 1) / 2) + value(of_epoch.len() / 2)) / 2.0)
        };
        points.chunk_by(|a, b| a.0 == b.0).map(middle).collect()
    };
    let of_variant = |runs: &[Curves<'r>]| Curves {
        variant: runs[0].variant,
        seed: None,
        run: runs[0].run,
        runs: runs.len(),
        panels: [0, 1].map(|panel| median(runs, panel)),
        selected: None,
    };
    runs.chunk_by(|a, b| a.variant == b.variant).map(of_variant).collect()
}

/// Height of a panel, and its smallest width with its texts, in pixels.
const PANEL: i32 = 296;
const NARROWEST: i32 = 380;
/// Space for texts at the left, top, right and bottom of a panel, in pixels; names stand right of it.
const AROUND: [i32; 4] = [62, 26, 64, 40];

/// Draws a figure of one line per run, or of one line per variant.
fn figure(
    groups: &Groups<'_>,
    palette: &Palette,
    category: &str,
    subject: &Subject,
    curves: &[Curves<'_>],
    prefix: &str,
) -> Result<Figure, ReportError> {
    let name = format!("{prefix}{}-{category}", subject.name);
    let [left, right] = subject.captions;
    let description = format!("{category}: {} ({left}; {right})", subject.title);
    let mut drawn: Vec<usize> = curves.iter().map(|curve| curve.variant).collect();
    drawn.dedup();
    let medians = curves.iter().all(|curve| curve.runs > 1) && curves.len() == drawn.len();
    let what = if medians { "A line is the median over the seeds of a variant." } else { "A line is one seed." };
    let marked = curves.iter().any(|run| run.selected.is_some());
    let marks = if marked { " A ring is the selected epoch." } else { "" };
    let texts = FigureTexts::of(
        groups,
        drawn.iter().flat_map(|index| groups.runs(&groups.variants[*index], category)),
        name,
        &description,
        &format!("{} in {category}. Left: {left}; right: {right}. {what}{marks}", subject.title),
    );
    let title = groups.marked(&format!("{category}: {}", subject.title));
    Figure::of_columns(texts, &title, values(groups, subject, curves), |sheet| {
        let legend = Legend::of(groups, palette, &drawn, sheet.width);
        let panels = Panels::new(2, (sheet.width, NARROWEST), 34 + legend.height, PANEL);
        sheet.draw(panels.bottom, |canvas| {
            legend.draw(canvas, 30)?;
            [left, right].into_iter().enumerate().try_for_each(|(place, caption)| {
                panel(canvas, panels.place(place).inset(AROUND), caption, (groups, palette), curves, place)
            })
        })
    })
}

/// Returns the points of all lines.
fn values(groups: &Groups<'_>, subject: &Subject, curves: &[Curves<'_>]) -> Values {
    let lines = curves.iter().flat_map(|of| of.panels.iter().zip(subject.captions).map(move |line| (of, line)));
    let points = lines.flat_map(|(of, (line, panel))| {
        line.iter().map(move |(epoch, value)| {
            let selected = Value::Boolean(of.selected == Some(*epoch));
            let variant = &groups.variants[of.variant].label;
            [text(panel), text(variant), integer(of.seed), number(*epoch), number(*value), selected]
        })
    });
    Values::of(["panel", "variant", "seed", "epoch", "value", "selected"], points)
}

/// Draws the curves of one panel; the second one names the highlighted variants at their ends, and marks the selected epochs.
fn panel(
    canvas: &Canvas<'_>,
    frame: Frame,
    caption: &str,
    (groups, palette): (&Groups<'_>, &Palette),
    curves: &[Curves<'_>],
    place: usize,
) -> DrawResult {
    let values = || curves.iter().flat_map(|curve| &curve.panels[place]).map(|(_, value)| *value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let epochs = || curves.iter().flat_map(|curve| &curve.panels[place]).map(|(epoch, _)| *epoch);
    let last = epochs().fold(2.0, f64::max);
    if high <= 0.0 {
        return Ok(());
    }
    let x = Axis::whole(1.0, last, frame.ticks_across());
    let plot = Plot { canvas, frame, x, y: Axis::logarithmic(0.93 * low, 1.07 * high, frame.ticks_upwards()) };
    plot.axes(caption, "epoch")?;
    let mut ends: Vec<(usize, Vec<i32>)> = palette.highlighted.iter().map(|variant| (*variant, Vec::new())).collect();
    for variant in palette.stacked(curves.iter().map(|curve| curve.variant).collect::<BTreeSet<_>>().into_iter()) {
        for curve in curves.iter().filter(|curve| curve.variant == variant) {
            let (line, colour) = (&curve.panels[place], palette.colour(variant));
            plot.curve(line, colour, 1)?;
            let marked = line.iter().find(|(epoch, _)| place == 1 && Some(*epoch) == curve.selected);
            if let Some(point) = marked {
                canvas.ring(plot.at(*point), 4, colour)?;
            }
            for point in marked.into_iter().chain(line.last()) {
                let label = &groups.variants[variant].label;
                let text = format!("{label}: epoch {}, {:.5}", point.0, point.1);
                canvas.tooltip_of_run(plot.at(*point), 5, &text, Some(curve.run));
            }
            if let (Some(point), Some((_, of_variant))) =
                (line.last(), ends.iter_mut().find(|(known, _)| *known == variant))
            {
                of_variant.push(plot.at(*point).1);
            }
        }
    }
    if place == 1 {
        ends.retain(|(_, heights)| !heights.is_empty());
        let wanted: Vec<i32> =
            ends.iter().map(|(_, heights)| heights.iter().sum::<i32>() / heights.len() as i32).collect();
        let heights = apart(&wanted, 15, (frame.top, frame.bottom));
        for ((variant, _), y) in ends.iter().zip(heights) {
            let variant = &groups.variants[*variant];
            let name = if variant.baseline { BASELINE } else { variant.label.split(' ').next().unwrap_or_default() };
            canvas.text((frame.right + 8, y), Anchor::Left, name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Curves, medians};

    #[test]
    fn many_seeds_become_the_median_of_each_epoch() {
        let run = |variant: usize, values: &[f64]| {
            let line: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64 + 1.0, *v)).collect();
            Curves { variant, seed: Some(0), run: "", runs: 1, panels: [line.clone(), line], selected: Some(1.0) }
        };
        let curves = medians(&[run(0, &[3.0, 1.0]), run(0, &[1.0, 2.0]), run(0, &[2.0]), run(4, &[5.0])]);
        assert_eq!(curves.iter().map(|curve| curve.variant).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(curves[0].panels[1], [(1.0, 2.0), (2.0, 1.5)]);
        assert_eq!(curves[0].selected, None);
    }
}
