//! Draws the course of the search: every trial in its order, the best value so far, and the pruned trials.

use plotters::prelude::*;

use super::{FigureChapter, FigureKind, ink, room};
use crate::analysis::{Groups, is_point};
use crate::evaluate::Selection;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, INK, digits, plain, series};
use crate::statistics::summary;
use crate::store::RunState;

/// Minimum number of trials for this figure.
const FEWEST: usize = 8;
/// Maximum number of dots. If there are more trials, only every n-th is drawn.
const MOST_DOTS: usize = 1000;

/// One figure; none with few trials.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Hyperparameters,
    draw: |source| Ok(history(source.groups, source.prefix)?.into_iter().collect()),
};

fn history(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let mut searched: Vec<_> = groups.variants.iter().filter(|v| groups.of_variant(v).any(is_point)).collect();
    searched.sort_by_key(|variant| groups.of_variant(variant).next().map(|run| run.position));
    if searched.len() < FEWEST {
        return Ok(None);
    }
    let (metric, label) = match groups.guidance.objective() {
        Some(objective) => (objective.metric(), objective.metric().name),
        None => (groups.first_metric(), groups.first_metric().label),
    };
    let mut values: Vec<(f64, f64)> = Vec::new();
    let mut pruned: Vec<f64> = Vec::new();
    for (index, variant) in searched.iter().enumerate() {
        let number = index as f64 + 1.0;
        let is_pruned = groups.of_variant(variant).any(|run| run.state == RunState::Pruned);
        if !is_pruned && !groups.is_finished(variant) {
            continue;
        }
        let runs = groups.of_variant(variant);
        let of_runs: Vec<f64> = runs.filter_map(|run| groups.value(run, Selection::Selected, metric)).collect();
        values.extend(summary(&of_runs).map(|summary| (number, summary.mean)));
        if is_pruned {
            pruned.push(number);
        }
    }
    let Some((low, high)) = room(values.iter().map(|(_, value)| *value)) else { return Ok(None) };
    let every = values.len().div_ceil(MOST_DOTS);
    let thinned = if every > 1 { format!(" (one trial in {every} drawn)") } else { String::new() };
    let marks = if pruned.is_empty() { "" } else { "; ×: pruned, mean of fewer runs" };
    let title = groups.marked(&format!("{label} of each finished trial in order; line: best so far{marks}{thinned}"));
    let about = groups.about(
        format!("{prefix}history"),
        &format!("{label} over the trials of the search, {} of them pruned", pruned.len()),
    );
    let digits = digits(low, high);
    Figure::draw(about, (960, 320), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        let (_, below) = area.split_vertically(34);
        let mut chart = ChartBuilder::on(&below)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(26)
            .y_label_area_size(60)
            .build_cartesian_2d(0.5..searched.len() as f64 + 0.5, low..high)?;
        plain(&mut chart.configure_mesh())
            .x_labels(10)
            .y_labels(6)
            .x_label_formatter(&|number| format!("{number:.0}"))
            .y_label_formatter(&|value| format!("{value:.digits$}"))
            .draw()?;
        let is_pruned = |number: f64| pruned.contains(&number);
        let drawn = || values.iter().step_by(every).copied();
        chart.draw_series(
            drawn().filter(|(n, _)| !is_pruned(*n)).map(|at| Circle::new(at, 4, series(0).mix(0.7).filled())),
        )?;
        chart.draw_series(
            drawn().filter(|(n, _)| is_pruned(*n)).map(|at| Cross::new(at, 4, series(1).stroke_width(1))),
        )?;
        let finished = values.iter().filter(|(number, _)| !is_pruned(*number));
        let best = finished.scan(None, |best, (number, value)| {
            let better = best.filter(|best| metric.direction.gain(value - best) <= 0.0).unwrap_or(*value);
            *best = Some(better);
            Some((*number, better))
        });
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for (number, value) in best {
            match steps.last() {
                Some((_, before)) if *before == value => continue,
                Some((_, before)) => steps.extend([(number, *before), (number, value)]),
                None => steps.push((number, value)),
            }
        }
        steps.extend(steps.last().map(|(_, value)| (searched.len() as f64, *value)));
        chart.draw_series(LineSeries::new(steps, INK.stroke_width(2)))?;
        Ok(())
    })
    .map(Some)
}
