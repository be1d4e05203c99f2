//! Draws the course of the search: every trial in its order, the best value so far, and the pruned trials.

use plotters::prelude::Color;

use super::axis::Axis;
use super::palette::of_setting;
use super::plot::{Frame, Plot};
use super::range::room;
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::analysis::{Groups, is_point};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Direction;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::values::{Values, number, text};
use crate::statistics::summary;
use crate::store::RunState;

/// Minimum number of trials for this figure.
const FEWEST: usize = 8;
/// Maximum number of dots. If there are more trials, only every n-th is drawn.
const MOST_DOTS: usize = 1000;

/// One figure; none with few trials.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Settings,
    draw: |source| Ok(history(source.groups, source.prefix)?.into_iter().collect()),
};

/// A trial with a value.
struct Tried<'g> {
    number: f64,
    value: f64,
    pruned: bool,
    label: &'g str,
    /// The run that the trial leads to.
    run: Option<&'g str>,
}

fn history(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let mut searched: Vec<_> = groups.variants.iter().filter(|v| groups.of_variant(v).any(is_point)).collect();
    searched.sort_by_key(|variant| groups.of_variant(variant).next().map(|run| run.position));
    if searched.len() < FEWEST {
        return Ok(None);
    }
    let metric = groups.guidance.objective().map_or(groups.first_metric(), |objective| objective.metric());
    let label = metric.label;
    let tried = searched.iter().enumerate().filter_map(|(index, variant)| {
        let pruned = groups.of_variant(variant).any(|run| run.state == RunState::Pruned);
        if !pruned && !groups.is_finished(variant) {
            return None;
        }
        let runs = groups.of_variant(variant);
        let of_runs: Vec<f64> = runs.filter_map(|run| groups.value(run, Selection::Selected, metric)).collect();
        let value = summary(&of_runs)?.mean;
        let run = representative(groups, variant);
        Some(Tried { number: index as f64 + 1.0, value, pruned, label: &variant.label, run })
    });
    let tried: Vec<Tried<'_>> = tried.collect();
    let Some((low, high)) = room(tried.iter().map(|trial| trial.value)) else { return Ok(None) };
    let every = tried.len().div_ceil(MOST_DOTS);
    let thinned = if every > 1 { format!(" Only one trial in {every} is drawn.") } else { String::new() };
    let pruned = tried.iter().filter(|trial| trial.pruned).count();
    let texts = FigureTexts::of(
        groups,
        searched.iter().flat_map(|variant| groups.of_variant(variant)),
        format!("{prefix}history"),
        &format!("{label} over the trials of the search, {pruned} of them pruned"),
        &format!(
            "Mean {label} of each trial in the order of the search. The line is the best mean so far. A cross is a pruned trial, with \
             fewer runs.{thinned}"
        ),
    );
    let last = searched.len() as f64;
    let best = best_so_far(&tried, metric.direction);
    let trials = tried.iter().step_by(every).map(|trial| {
        let mark = if trial.pruned { "pruned trial" } else { "trial" };
        [text(mark), number(trial.number), text(trial.label), number(trial.value)]
    });
    let steps =
        best.iter().map(|trial| [text("best so far"), number(trial.number), text(trial.label), number(trial.value)]);
    let values = Values::of(["mark", "number", "trial", "value"], trials.chain(steps));
    let title = groups.marked(&format!("Course of the search: {label}"));
    Figure::of_columns(texts, &title, values, |sheet| {
        let frame = Frame { left: 64, top: 52, right: sheet.width - 20, bottom: 300 };
        sheet.draw(frame.bottom + 40, |canvas| {
            let x = Axis::whole(0.5, last + 0.5, frame.ticks_across());
            let plot = Plot { canvas, frame, x, y: Axis::linear(low, high, frame.ticks_upwards()) };
            plot.axes(&format!("mean {label}"), "trial")?;
            for trial in tried.iter().step_by(every) {
                let at = plot.at((trial.number, trial.value));
                if trial.pruned {
                    canvas.cross(at, 4, super::palette::OTHERS)?;
                } else {
                    canvas.dot(at, 4, of_setting().mix(0.7))?;
                }
                let state = if trial.pruned { ", pruned" } else { "" };
                canvas.tooltip_of_run(at, 4, &format!("{}: {:.4}{state}", trial.label, trial.value), trial.run);
            }
            let risers =
                best.windows(2).flat_map(|pair| [(pair[0].number, pair[0].value), (pair[1].number, pair[0].value)]);
            let end = best.last().into_iter().flat_map(|trial| [(trial.number, trial.value), (last, trial.value)]);
            plot.curve(&risers.chain(end).collect::<Vec<_>>(), INK, 2)
        })
    })
    .map(Some)
}

/// Returns the finished trials that are better than all before them.
fn best_so_far<'t, 'g>(tried: &'t [Tried<'g>], direction: Direction) -> Vec<&'t Tried<'g>> {
    let mut best: Vec<&Tried<'_>> = Vec::new();
    for trial in tried.iter().filter(|trial| !trial.pruned) {
        if best.last().is_none_or(|last| direction.gain(trial.value - last.value) > 0.0) {
            best.push(trial);
        }
    }
    best
}
