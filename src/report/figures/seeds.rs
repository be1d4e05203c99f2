//! Draws every seed and the mean of each variant, by category.

use plotters::prelude::Color;

use super::axis::Axis;
use super::legend::Legend;
use super::palette::Palette;
use super::plot::{Frame, Plot};
use super::range::room;
use super::representative::{finished, run_of};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Groups, MAX_DRAWN};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, fitted, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::values::{Values, integer, number, text};
use crate::statistics::{Summary, summary};
use crate::text::counted;

/// Height of a panel, in pixels.
const PANEL: i32 = 260;
/// Maximum length of a category's upright name, in pixels.
const NAME: i32 = 150;
/// Pixels for the numbers left of the panel.
const NUMBERS: i32 = 64;
/// Share of a category's width that its variants take, and the smallest width of one variant, in pixels.
const SLOTS: f64 = 0.84;
const NARROWEST: f64 = 3.0;

/// One figure per metric that has numbers. Figure names start with `prefix`.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Seeds,
    draw: |source| {
        let palette = Palette::of(source.groups);
        let figure = |metric: &Metric| figure(source.groups, &palette, source.prefix, *metric).transpose();
        source.groups.metrics.iter().filter_map(figure).collect()
    },
};

/// The values of one variant in one category, with their seeds.
struct Cell {
    variant: usize,
    values: Vec<(i64, f64)>,
}

impl Cell {
    fn mean(&self) -> Option<Summary> {
        summary(&self.values.iter().map(|(_, value)| *value).collect::<Vec<_>>())
    }
}

fn figure(groups: &Groups<'_>, palette: &Palette, prefix: &str, metric: Metric) -> Result<Option<Figure>, ReportError> {
    let variants = || groups.variants.iter().take(MAX_DRAWN).enumerate();
    let cell = |category: &str| -> Vec<Cell> {
        let cells = variants()
            .map(|(variant, of)| Cell { variant, values: groups.cell(of, category, Selection::Selected, metric) });
        cells.filter(|cell| !cell.values.is_empty()).collect()
    };
    let columns: Vec<(&str, Vec<Cell>)> =
        groups.categories.iter().map(|(category, _)| (category.as_str(), cell(category))).collect();
    let values = columns.iter().flat_map(|(_, cells)| cells).flat_map(|cell| &cell.values).map(|(_, value)| *value);
    let Some((low, high)) = room(values) else { return Ok(None) };
    let drawn: Vec<usize> = variants()
        .map(|(index, _)| index)
        .filter(|index| columns.iter().flat_map(|(_, cells)| cells).any(|cell| cell.variant == *index))
        .collect();
    let label = metric.label;
    let runs = drawn.iter().flat_map(|index| groups.of_variant(&groups.variants[*index]));
    let runs = runs.filter(|run| groups.value(run, Selection::Selected, metric).is_some());
    let texts = FigureTexts::of(
        groups,
        runs,
        format!("{prefix}seeds-{metric}"),
        &format!("{label} of each variant in each category: every seed and the mean"),
        &format!(
            "{label} by category at the selected epoch. A small dot is one seed, a line is the mean over seeds. The vertical axis does \
             not start at zero."
        ),
    );
    let longest = columns.iter().map(|(category, _)| text_width(category, TEXT)).max().unwrap_or(0);
    let title = groups.marked(&format!("{label} by category: seeds and mean"));
    Figure::of_columns(texts, &title, values_of(groups, &columns), |sheet| {
        let legend = Legend::of(groups, palette, &drawn, sheet.width);
        let width = (sheet.width - NUMBERS - 16) / columns.len().max(1) as i32;
        if SLOTS * f64::from(width) < NARROWEST * drawn.len() as f64 {
            return Ok(None);
        }
        let upright = longest > width - 6;
        let below = if upright { longest.min(NAME) + 14 } else { 26 };
        let top = 34 + legend.height + 8;
        let frame = Frame { left: NUMBERS, top, right: sheet.width - 16, bottom: top + PANEL };
        sheet.draw(frame.bottom + below, |canvas| {
            legend.draw(canvas, 30)?;
            let x = Axis::with_ticks(-0.5, columns.len() as f64 - 0.5, Vec::new());
            let plot = Plot { canvas, frame, x, y: Axis::linear(low, high, frame.ticks_upwards()) };
            plot.vertical_axis()?;
            for (place, (category, cells)) in columns.iter().enumerate() {
                let x = plot.at((place as f64, low)).0;
                if upright {
                    canvas.upright((x, frame.bottom + 8), Anchor::Right, &fitted(category, TEXT, NAME))?;
                } else {
                    canvas.text((x, frame.bottom + 14), Anchor::Centre, category)?;
                }
                column(&plot, groups, palette, &drawn, place, category, cells)?;
            }
            canvas.line(vec![(frame.left, frame.bottom), (frame.right, frame.bottom)], INK, 1)
        })
    })
    .map(Some)
}

/// Returns every seed and every mean.
fn values_of(groups: &Groups<'_>, columns: &[(&str, Vec<Cell>)]) -> Values {
    let cells = columns.iter().flat_map(|(category, cells)| cells.iter().map(move |cell| (*category, cell)));
    let marks = cells.flat_map(|(category, cell)| {
        let row = |mark: &str, seed: Option<i64>, value: f64| {
            let variant = &groups.variants[cell.variant].label;
            [text(category), text(variant), text(mark), integer(seed), number(value)]
        };
        let seeds = cell.values.iter().map(|(seed, value)| row("seed", Some(*seed), *value));
        let mean = cell.mean().map(|mean| row("mean", None, mean.mean));
        seeds.chain(mean).collect::<Vec<_>>()
    });
    Values::of(["category", "variant", "mark", "seed", "value"], marks)
}

/// Draws the variants of one category side by side.
fn column(
    plot: &Plot<'_, '_>,
    groups: &Groups<'_>,
    palette: &Palette,
    drawn: &[usize],
    place: usize,
    category: &str,
    cells: &[Cell],
) -> DrawResult {
    let canvas: &Canvas<'_> = plot.canvas;
    let slot = SLOTS / drawn.len() as f64;
    let half = (f64::from(plot.frame.right - plot.frame.left) * slot * plot.x.part(0.5).min(0.4)).min(9.0);
    for variant in palette.stacked(cells.iter().map(|cell| cell.variant)) {
        let Some(cell) = cells.iter().find(|cell| cell.variant == variant) else { continue };
        let Some(summary) = cell.mean() else { continue };
        let slot_index = drawn.iter().position(|index| *index == variant).unwrap_or(0) as f64;
        let x = place as f64 - SLOTS / 2.0 + slot * (slot_index + 0.5);
        let colour = palette.colour(variant);
        let of = &groups.variants[variant];
        let label = &of.label;
        for (seed, value) in &cell.values {
            let at = plot.at((x, *value));
            canvas.dot(at, 2, colour.mix(0.7))?;
            let text = format!("{label}, seed {seed}: {value:.4}");
            canvas.tooltip_of_run(at, 3, &text, run_of(groups, of, category, *seed));
        }
        let (x, y) = plot.at((x, summary.mean));
        let half = (half as i32).max(3);
        canvas.line(vec![(x - half, y), (x + half, y)], colour, 3)?;
        let text = format!("{label}: mean {summary} of {}", counted(summary.count, "seed"));
        let first = finished(groups, of, category).next().map(|run| run.id.as_str());
        canvas.tooltip_of_run((x, y), half, &text, first);
    }
    Ok(())
}
